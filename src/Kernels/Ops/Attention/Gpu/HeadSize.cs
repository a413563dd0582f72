namespace SafeLlama.Kernels;

/// <summary>
/// How many columns of a head a kernel keeps in registers: known when it is compiled, one kernel for each.
/// </summary>
internal interface IHeadSize<TSelf>
    where TSelf : unmanaged, IHeadSize<TSelf>
{
    /// <summary>A multiple of 32. A smaller head is filled up with zeros.</summary>
    static abstract int Columns { get; }
}

internal readonly struct Head64 : IHeadSize<Head64>
{
    public static int Columns => 64;
}

internal readonly struct Head96 : IHeadSize<Head96>
{
    public static int Columns => 96;
}

internal readonly struct Head128 : IHeadSize<Head128>
{
    public static int Columns => 128;
}
