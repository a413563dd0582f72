using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SafeLlama.Kernels;

/// <summary><see cref="BlockCode.Q8"/>: d · q.</summary>
internal readonly unsafe struct WideQ8 : IWideLayout
{
    public static int Size => 32;

    public static int Bytes => 34;

    public static int Part => 32;

    public static int Scales => 0;

    public static float* Table => WideTables.Halves;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prepare(byte* block, float* scales, float* table)
    {
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WidePart Load(byte* block, int part, float* scales, float* table)
    {
        var d = Vector512.Create(table[*(ushort*)block]);
        return new(SignedBytes(block + 2) * d, SignedBytes(block + 18) * d);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> SignedBytes(byte* source) =>
        Vector512.ConvertToSingle(Avx512F.ConvertToVector512Int32(Vector128.Load((sbyte*)source)));
}

/// <summary><see cref="BlockCode.Int8"/>: a row is one block, q · absmax / 127.</summary>
internal readonly unsafe struct WideInt8 : IWideLayout
{
    public static int Size => 0;

    public static int Bytes => Int8Format.ScaleBytes;

    public static int Part => 32;

    public static int Scales => 1;

    public static float* Table => null;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prepare(byte* block, float* scales, float* table) =>
        scales[0] = Int8Format.Scale(*(float*)block);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WidePart Load(byte* block, int part, float* scales, float* table)
    {
        var from = block + Bytes + ((nint)part * Part);
        var scale = Vector512.Create(scales[0]);
        return new(WideQ8.SignedBytes(from) * scale, WideQ8.SignedBytes(from + 16) * scale);
    }
}

/// <summary><see cref="BlockCode.Q4"/>: d · (q − 8).</summary>
internal readonly unsafe struct WideQ4 : IWideLayout
{
    public static int Size => 32;

    public static int Bytes => 18;

    public static int Part => 32;

    public static int Scales => 0;

    public static float* Table => WideTables.Halves;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prepare(byte* block, float* scales, float* table)
    {
    }

    /// <remarks>A permutation heeds the lowest four bits of an index alone.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WidePart Load(byte* block, int part, float* scales, float* table)
    {
        var weights = Vector512.Create(-8f, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7)
            * Vector512.Create(table[*(ushort*)block]);
        var bytes = Avx512F.ConvertToVector512Int32(Vector128.Load(block + 2));
        return new(Avx512F.PermuteVar16x32(weights, bytes), Avx512F.PermuteVar16x32(weights, bytes >>> 4));
    }
}

/// <summary><see cref="BlockCode.Q4K"/>: d · s · q − dmin · m, with s and m of 6 bits for each 32.</summary>
internal readonly unsafe struct WideQ4K : IWideLayout
{
    public static int Size => 256;

    public static int Bytes => 144;

    public static int Part => 64;

    public static int Scales => 16;

    public static float* Table => WideTables.Halves;

    /// <summary>Eight scales, then eight negated minimums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prepare(byte* block, float* scales, float* table)
    {
        Q4KLayout.Unpack(block, out var six, out var least);
        (SixBits(six) * Vector256.Create(table[*(ushort*)block])).Store(scales);
        (SixBits(least) * Vector256.Create(-table[*(ushort*)(block + 2)])).Store(scales + 8);
    }

    /// <remarks>A part is two runs of 32, in the low and in the high halves of the same bytes.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WidePart Load(byte* block, int part, float* scales, float* table)
    {
        var from = block + 16 + (part * 32);
        var (low, high) = (Weights(scales + (2 * part)), Weights(scales + (2 * part) + 1));
        var first = Avx512F.ConvertToVector512Int32(Vector128.Load(from));
        var second = Avx512F.ConvertToVector512Int32(Vector128.Load(from + 16));
        return new(
            Avx512F.PermuteVar16x32(low, first), Avx512F.PermuteVar16x32(low, second),
            Avx512F.PermuteVar16x32(high, first >>> 4), Avx512F.PermuteVar16x32(high, second >>> 4));
    }

    /// <summary>The sixteen weights of a run. The product is exact, so that the sum alone rounds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Weights(float* scales) => Avx512F.FusedMultiplyAdd(
        Vector512.Create(0f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
        Vector512.Create(scales[0]), Vector512.Create(scales[8]));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> SixBits(ulong bytes) => Vector256.ConvertToSingle(
        Avx2.ConvertToVector256Int32(Vector128.CreateScalarUnsafe(bytes).AsByte()));
}

/// <summary><see cref="BlockCode.Nf4"/>: one of sixteen values, times absmax.</summary>
internal readonly unsafe struct WideNf4 : IWideLayout
{
    public static int Size => Nf4Format.Shared;

    public static int Bytes => Nf4Format.ScaleBytes + (Nf4Format.Shared / 2);

    public static int Part => 64;

    public static int Scales => 0;

    public static float* Table => WideTables.Nf4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prepare(byte* block, float* scales, float* table)
    {
    }

    /// <remarks>Element e is in word e mod 8, so that eight words, shifted by two counts, give sixteen.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WidePart Load(byte* block, int part, float* scales, float* table)
    {
        var weights = Vector512.Load(table) * Vector512.Create(*(float*)block);
        var words = Avx512F.BroadcastVector256ToVector512((ulong*)(block + Nf4Format.ScaleBytes)).AsUInt32();
        return new(
            Pick(weights, words, Vector512.Create(0u, 0, 0, 0, 0, 0, 0, 0, 4, 4, 4, 4, 4, 4, 4, 4)),
            Pick(weights, words, Vector512.Create(8u, 8, 8, 8, 8, 8, 8, 8, 12, 12, 12, 12, 12, 12, 12, 12)),
            Pick(weights, words, Vector512.Create(16u, 16, 16, 16, 16, 16, 16, 16, 20, 20, 20, 20, 20, 20, 20, 20)),
            Pick(weights, words, Vector512.Create(24u, 24, 24, 24, 24, 24, 24, 24, 28, 28, 28, 28, 28, 28, 28, 28)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Pick(Vector512<float> weights, Vector512<uint> words, Vector512<uint> shifts) =>
        Avx512F.PermuteVar16x32(weights, Avx512F.ShiftRightLogicalVariable(words, shifts).AsInt32());
}
