namespace SafeLlama.Kernels;

/// <summary>
/// How many columns of B a <see cref="DotTile{TLanes, TStored, TSize}"/> takes, or how many rows of A a
/// <see cref="DotStream{TLanes, TStored, TRows}"/>.
/// </summary>
internal interface IDotSize
{
    /// <summary>1, 2, 4 or 6.</summary>
    static abstract int Count { get; }
}

internal readonly struct OfSix : IDotSize
{
    public static int Count => 6;
}

internal readonly struct OfFour : IDotSize
{
    public static int Count => 4;
}

internal readonly struct OfTwo : IDotSize
{
    public static int Count => 2;
}

internal readonly struct OfOne : IDotSize
{
    public static int Count => 1;
}
