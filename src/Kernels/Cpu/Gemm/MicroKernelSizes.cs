namespace SafeLlama.Kernels;

/// <summary>How many rows and vectors a register tile has.</summary>
internal interface IMicroKernelSize
{
    /// <summary>4, 6, 8 or 12.</summary>
    static abstract int Rows { get; }

    /// <summary>Vectors to a row: 1 or 2.</summary>
    static abstract int Vectors { get; }
}

internal readonly struct Kernel12x2 : IMicroKernelSize
{
    public static int Rows => 12;

    public static int Vectors => 2;
}

internal readonly struct Kernel12x1 : IMicroKernelSize
{
    public static int Rows => 12;

    public static int Vectors => 1;
}

internal readonly struct Kernel8x2 : IMicroKernelSize
{
    public static int Rows => 8;

    public static int Vectors => 2;
}

internal readonly struct Kernel8x1 : IMicroKernelSize
{
    public static int Rows => 8;

    public static int Vectors => 1;
}

internal readonly struct Kernel6x2 : IMicroKernelSize
{
    public static int Rows => 6;

    public static int Vectors => 2;
}

internal readonly struct Kernel6x1 : IMicroKernelSize
{
    public static int Rows => 6;

    public static int Vectors => 1;
}

internal readonly struct Kernel4x2 : IMicroKernelSize
{
    public static int Rows => 4;

    public static int Vectors => 2;
}

internal readonly struct Kernel4x1 : IMicroKernelSize
{
    public static int Rows => 4;

    public static int Vectors => 1;
}
