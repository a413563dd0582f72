using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>A stored type of weights, and how its elements become floats.</summary>
internal unsafe interface IStored
{
    /// <summary>Bytes per element.</summary>
    static abstract int Size { get; }

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
