namespace SafeLlama.Kernels;

/// <summary>How many rows and vectors a register tile has.</summary>
internal interface ITileSize
{
    /// <summary>4, 6, 8 or 12.</summary>
    static abstract int Rows { get; }

    /// <summary>Vectors to a row: 1 or 2.</summary>
    static abstract int Vectors { get; }
}

internal readonly struct Tile12x2 : ITileSize
{
    public static int Rows => 12;

    public static int Vectors => 2;
}

internal readonly struct Tile12x1 : ITileSize
{
    public static int Rows => 12;

    public static int Vectors => 1;
}

internal readonly struct Tile8x2 : ITileSize
{
    public static int Rows => 8;

    public static int Vectors => 2;
}

internal readonly struct Tile8x1 : ITileSize
{
    public static int Rows => 8;

    public static int Vectors => 1;
}

internal readonly struct Tile6x2 : ITileSize
{
    public static int Rows => 6;

    public static int Vectors => 2;
}

internal readonly struct Tile6x1 : ITileSize
{
    public static int Rows => 6;

    public static int Vectors => 1;
}

internal readonly struct Tile4x2 : ITileSize
{
    public static int Rows => 4;

    public static int Vectors => 2;
}

internal readonly struct Tile4x1 : ITileSize
{
    public static int Rows => 4;

    public static int Vectors => 1;
}
