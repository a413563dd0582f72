using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SafeLlama.Kernels;

/// <summary><see cref="BlockCode.Q8"/>: d · q.</summary>
internal readonly unsafe struct Q8Layout : IBlockLayout
{
    public static int Size => 32;

    public static int Bytes => 34;

    public static float* Table => null;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prepare(byte* block, float* scales) => scales[0] = HalfBits.ToSingle(*(ushort*)block);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Load<TLanes>(byte* block, int run, int first, float* scales, float* table)
        where TLanes : struct, IBlockLanes<TLanes> =>
        TLanes.Multiply(TLanes.LoadSignedBytes((sbyte*)block + 2 + first), TLanes.Broadcast(scales[0]));
}

/// <summary><see cref="BlockCode.Q4"/>: d · (q − 8).</summary>
internal readonly unsafe struct Q4Layout : IBlockLayout
{
    public static int Size => 32;

    public static int Bytes => 18;

    public static float* Table => null;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prepare(byte* block, float* scales) => scales[0] = HalfBits.ToSingle(*(ushort*)block);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Load<TLanes>(byte* block, int run, int first, float* scales, float* table)
        where TLanes : struct, IBlockLanes<TLanes> => TLanes.Multiply(
        TLanes.LoadNibbles(block + 2 + (first & 15), first < 16 ? 0 : 4, centers: true),
        TLanes.Broadcast(scales[0]));
}

/// <summary><see cref="BlockCode.Q4K"/>: d · s · q − dmin · m, with s and m of 6 bits for each run.</summary>
internal readonly unsafe struct Q4KLayout : IBlockLayout
{
    private const int Runs = 8;

    public static int Size => 256;

    public static int Bytes => 144;

    public static float* Table => null;

    /// <summary>Eight scales, then eight minimums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prepare(byte* block, float* scales)
    {
        var six = stackalloc ulong[2];
        Unpack(block, out six[0], out six[1]);
        var (d, least) = (HalfBits.ToSingle(*(ushort*)block), HalfBits.ToSingle(*(ushort*)(block + 2)));
        Lanes256.Store(scales, Lanes256.LoadSignedBytes((sbyte*)six) * Lanes256.Broadcast(d));
        Lanes256.Store(scales + Runs, Lanes256.LoadSignedBytes((sbyte*)(six + 1)) * Lanes256.Broadcast(least));
    }

    /// <summary>Eight scales and eight minimums of six bits, a byte each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Unpack(byte* block, out ulong scales, out ulong least)
    {
        // Those of runs 0 to 3 are six bits of a byte each; those of 4 to 7 are split.
        var (a, b, c) = (*(uint*)(block + 4), *(uint*)(block + 8), *(uint*)(block + 12));
        scales = (a & 0x3F3F3F3F) | ((ulong)((c & 0x0F0F0F0F) | ((a >> 2) & 0x30303030)) << 32);
        least = (b & 0x3F3F3F3F) | ((ulong)(((c >> 4) & 0x0F0F0F0F) | ((b >> 2) & 0x30303030)) << 32);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Load<TLanes>(byte* block, int run, int first, float* scales, float* table)
        where TLanes : struct, IBlockLanes<TLanes> =>
        (TLanes.LoadNibbles(block + 16 + (run / 2 * 32) + first, run % 2 * 4, centers: false)
            * TLanes.Broadcast(scales[run]))
            - TLanes.Broadcast(scales[Runs + run]);
}

/// <summary><see cref="BlockCode.Q6K"/>: d · s · (q − 32), with s a signed byte for each half of a run.</summary>
internal readonly unsafe struct Q6KLayout : IBlockLayout
{
    private const int Upper = 128;
    private const int Scales = 192;
    private const int Scale = 208;

    public static int Size => 256;

    public static int Bytes => 210;

    public static float* Table => null;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prepare(byte* block, float* scales)
    {
        var d = Lanes256.Broadcast(HalfBits.ToSingle(*(ushort*)(block + Scale)));
        Lanes256.Store(scales, Lanes256.LoadSignedBytes((sbyte*)block + Scales) * d);
        Lanes256.Store(scales + 8, Lanes256.LoadSignedBytes((sbyte*)block + Scales + 8) * d);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Load<TLanes>(byte* block, int run, int first, float* scales, float* table)
        where TLanes : struct, IBlockLanes<TLanes>
    {
        var (half, quarter) = (run / 4, run % 4);
        var lower = block + (half * 64) + (quarter % 2 * 32) + first;
        var upper = block + Upper + (half * 32) + first;
        return TLanes.LoadSixBits(lower, quarter / 2 * 4, upper, quarter * 2)
            * TLanes.Broadcast(scales[(2 * run) + (first / 16)]);
    }
}

/// <summary><see cref="BlockCode.Nf4"/>: one of sixteen values, times absmax.</summary>
internal readonly unsafe struct Nf4Layout : IBlockLayout
{
    public static int Size => Nf4Format.Shared;

    public static int Bytes => Nf4Format.ScaleBytes + (Nf4Format.Shared / 2);

    /// <summary>The values, and the shift of each element, in memory that stays where it is.</summary>
    private static readonly float* Values = Pinned();

    public static float* Table => Values;

    /// <summary>Nothing: absmax stands in the block as it is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prepare(byte* block, float* scales)
    {
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Load<TLanes>(byte* block, int run, int first, float* scales, float* table)
        where TLanes : struct, IBlockLanes<TLanes> => TLanes.Multiply(
        TLanes.Lookup((uint*)(block + Nf4Format.ScaleBytes), (run * IBlockLayout.Run) + first, table),
        TLanes.Broadcast(*(float*)block));

    private static float* Pinned()
    {
        var values = (float*)NativeMemory.AlignedAlloc((16 + Nf4Format.Shared) * sizeof(float), 64);
        Nf4Format.Values.CopyTo(new Span<float>(values, 16));
        for (var element = 0; element < Nf4Format.Shared; element++)
        {
            ((uint*)values)[16 + element] = (uint)element / 8 * 4;
        }

        return values;
    }
}

/// <summary><see cref="BlockCode.Int8"/>: a row is one block, q · absmax / 127.</summary>
internal readonly unsafe struct Int8Layout : IBlockLayout
{
    public static int Size => 0;

    public static int Bytes => Int8Format.ScaleBytes;

    public static float* Table => null;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prepare(byte* block, float* scales) => scales[0] = Int8Format.Scale(*(float*)block);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Load<TLanes>(byte* block, int run, int first, float* scales, float* table)
        where TLanes : struct, IBlockLanes<TLanes> => TLanes.Multiply(
        TLanes.LoadSignedBytes((sbyte*)block + Bytes + ((nint)run * IBlockLayout.Run) + first),
        TLanes.Broadcast(scales[0]));
}
