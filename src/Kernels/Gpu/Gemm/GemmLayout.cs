namespace SafeLlama.Kernels;

/// <summary>
/// How the operands of a tensor-core product are stored: known when a kernel is compiled, one for each.
/// </summary>
internal interface IGemmLayout<TSelf>
    where TSelf : unmanaged, IGemmLayout<TSelf>
{
    /// <summary>Whether a is stored [K, M].</summary>
    static abstract bool TransposedA { get; }

    /// <summary>Whether b is stored [K, N].</summary>
    static abstract bool TransposedB { get; }
}

/// <summary>A layout of a product with a frozen weight, which has no gradient.</summary>
internal interface IFrozenLayout<TSelf> : IGemmLayout<TSelf>
    where TSelf : unmanaged, IFrozenLayout<TSelf>;

/// <summary>y = x Wᵀ: both operands are read along their rows.</summary>
internal readonly struct GemmNT : IFrozenLayout<GemmNT>
{
    public static bool TransposedA => false;

    public static bool TransposedB => false;
}

/// <summary>dx = dy W: W is read along its columns.</summary>
internal readonly struct GemmNN : IFrozenLayout<GemmNN>
{
    public static bool TransposedA => false;

    public static bool TransposedB => true;
}

/// <summary>dW = dyᵀ x: both are read along their columns.</summary>
internal readonly struct GemmTN : IGemmLayout<GemmTN>
{
    public static bool TransposedA => true;

    public static bool TransposedB => true;
}
