using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>A stored type of weights, and how its elements become floats.</summary>
internal unsafe interface IStored
{
    /// <summary>Bytes per element.</summary>
    static abstract int Size { get; }

    /// <summary>Whether packing exchanges the steps of k in pairs, as <see cref="Bf16Emulation"/> reads them.</summary>
    static virtual bool InPairs => false;

    /// <summary>Widens one vector of elements.</summary>
    static abstract TLanes Load<TLanes>(byte* source)
        where TLanes : struct, ILanes<TLanes>;

    /// <summary>Widens one element.</summary>
    static abstract float LoadOne(byte* source);
}

internal readonly unsafe struct StoredFloat32 : IStored
{
    public static int Size => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Load<TLanes>(byte* source)
        where TLanes : struct, ILanes<TLanes> => TLanes.Load((float*)source);

    public static float LoadOne(byte* source) => *(float*)source;
}

internal readonly unsafe struct StoredBFloat16 : IStored
{
    public static int Size => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Load<TLanes>(byte* source)
        where TLanes : struct, ILanes<TLanes> => TLanes.LoadBFloat16((ushort*)source);

    public static float LoadOne(byte* source) => DTypes.WidenBFloat16(*(ushort*)source);
}

internal readonly unsafe struct StoredFloat16 : IStored
{
    public static int Size => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Load<TLanes>(byte* source)
        where TLanes : struct, ILanes<TLanes> => TLanes.LoadFloat16((ushort*)source);

    public static float LoadOne(byte* source) => (float)*(Half*)source;
}

/// <summary>
/// bf16 weights as <see cref="Bf16Emulation"/> reads them: magnitudes below 2⁻⁵⁶ are zero, and k is exchanged in pairs.
/// </summary>
internal readonly unsafe struct PairedBFloat16 : IStored
{
    public static int Size => 2;

    public static bool InPairs => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Load<TLanes>(byte* source)
        where TLanes : struct, ILanes<TLanes>
    {
        // Squares compare magnitudes: 2⁻¹¹² is a normal number, and NaN is never less.
        var values = TLanes.LoadBFloat16((ushort*)source);
        return TLanes.WhereLess(
            values * values, TLanes.Broadcast(Bf16Rounding.Least * Bf16Rounding.Least), default, values);
    }

    public static float LoadOne(byte* source) => DTypes.WidenBFloat16(Bf16Rounding.Round(*(ushort*)source));
}
