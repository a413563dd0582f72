namespace SafeLlama.Kernels;

/// <summary>How many columns of B meet four rows of A in a <see cref="DotTile{TLanes, TStored, TSize}"/>.</summary>
internal interface IDotSize
{
    /// <summary>1, 2, 4 or 6.</summary>
    static abstract int Columns { get; }
}

internal readonly struct SixColumns : IDotSize
{
    public static int Columns => 6;
}

internal readonly struct FourColumns : IDotSize
{
    public static int Columns => 4;
}

internal readonly struct TwoColumns : IDotSize
{
    public static int Columns => 2;
}

internal readonly struct OneColumn : IDotSize
{
    public static int Columns => 1;
}
