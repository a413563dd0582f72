using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SafeLlama.Kernels;

/// <content>Elements of blocks as floats.</content>
internal unsafe partial interface ILanes<TSelf>
{
    /// <summary>Four bits of each byte from bit <paramref name="shift"/> on, 0 or 4, as a float.</summary>
    /// <param name="centers">Takes 8 off each.</param>
    static abstract TSelf LoadNibbles(byte* source, int shift, bool centers);

    /// <summary>
    /// Four bits of each byte and, above them, two of another from bit <paramref name="upperShift"/> on; less 32.
    /// </summary>
    static abstract TSelf LoadSixBits(byte* lower, int shift, byte* upper, int upperShift);

    /// <summary>Which of sixteen floats the elements of an NF4 block name, from element
    /// <paramref name="first"/> on.</summary>
    /// <param name="words">Its eight words.</param>
    /// <param name="first">A multiple of <see cref="Count"/>.</param>
    /// <param name="table">Sixteen floats, then for each of 64 elements by how much its word is shifted.</param>
    static abstract TSelf Lookup(uint* words, int first, float* table);
}

internal readonly unsafe partial struct Lanes512
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 LoadNibbles(byte* source, int shift, bool centers) => new(Avx512F.PermuteVar16x32(
        centers
            ? Vector512.Create(-8f, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7)
            : Vector512.Create(0f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
        Avx512F.ConvertToVector512Int32(Vector128.Load(source)) >>> shift));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 LoadSixBits(byte* lower, int shift, byte* upper, int upperShift)
    {
        var high = (Avx512F.ConvertToVector512Int32(Vector128.Load(upper)) >>> upperShift) & Vector512.Create(3);
        return new(Vector512.ConvertToSingle((Nibbles(lower, shift) | (high << 4)) - Vector512.Create(32)));
    }

    /// <remarks>Eight words, shifted by two counts; the instruction heeds the lowest four bits of an index alone.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Lookup(uint* words, int first, float* table)
    {
        var both = Avx512F.BroadcastVector256ToVector512((ulong*)words).AsUInt32();
        var indexes = Avx512F.ShiftRightLogicalVariable(both, Vector512.Load((uint*)table + 16 + first));
        return new(Avx512F.PermuteVar16x32(Vector512.Load(table), indexes.AsInt32()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Nibbles(byte* source, int shift)
    {
        var bytes = Avx512F.ConvertToVector512Int32(Vector128.Load(source));
        return shift == 0 ? bytes & Vector512.Create(15) : bytes >>> 4;
    }
}

internal readonly unsafe partial struct Lanes256
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LoadNibbles(byte* source, int shift, bool centers) => new(Vector256.ConvertToSingle(
        ((Bytes(source) >>> shift) & Vector256.Create(15)) - Vector256.Create(centers ? 8 : 0)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LoadSixBits(byte* lower, int shift, byte* upper, int upperShift)
    {
        var low = (Bytes(lower) >>> shift) & Vector256.Create(15);
        var high = (Bytes(upper) >>> upperShift) & Vector256.Create(3);
        return new(Vector256.ConvertToSingle((low | (high << 4)) - Vector256.Create(32)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Lookup(uint* words, int first, float* table)
    {
        if (!Avx2.IsSupported)
        {
            return new(Vector256.Create(
                Lanes128.Pick(words, first / 2, table), Lanes128.Pick(words + 4, first / 2, table)));
        }

        var index = ((Vector256.Load(words) >>> (first / 2)) & Vector256.Create(15u)).AsInt32();

        // An index of eight or more picks from the second half; the instruction heeds the lowest three bits.
        return new(Vector256.ConditionalSelect(
            Vector256.GreaterThan(index, Vector256.Create(7)).AsSingle(),
            Avx2.PermuteVar8x32(Vector256.Load(table + 8), index),
            Avx2.PermuteVar8x32(Vector256.Load(table), index)));
    }

    /// <summary>Eight bytes as whole numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Bytes(byte* source)
    {
        var shorts = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)source).AsByte());
        var (low, high) = Vector128.Widen(shorts);
        return Vector256.Create(low, high).AsInt32();
    }
}

internal readonly unsafe partial struct Lanes128
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 LoadNibbles(byte* source, int shift, bool centers) => new(Vector128.ConvertToSingle(
        ((Bytes(source) >>> shift) & Vector128.Create(15)) - Vector128.Create(centers ? 8 : 0)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 LoadSixBits(byte* lower, int shift, byte* upper, int upperShift)
    {
        var low = (Bytes(lower) >>> shift) & Vector128.Create(15);
        var high = (Bytes(upper) >>> upperShift) & Vector128.Create(3);
        return new(Vector128.ConvertToSingle((low | (high << 4)) - Vector128.Create(32)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Lookup(uint* words, int first, float* table) =>
        new(Pick(words + (first % 8), first / 8 * 4, table));

    /// <summary>Four floats of a table, one by one.</summary>
    public static Vector128<float> Pick(uint* words, int shift, float* table) => Vector128.Create(
        table[(words[0] >> shift) & 15], table[(words[1] >> shift) & 15],
        table[(words[2] >> shift) & 15], table[(words[3] >> shift) & 15]);

    /// <summary>Four bytes as whole numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Bytes(byte* source)
    {
        var shorts = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(uint*)source).AsByte());
        return Vector128.WidenLower(shorts).AsInt32();
    }
}
