using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SafeLlama.Kernels;

/// <summary>Elements of blocks as floats, in vectors of up to 256 bits; see <see cref="IWideLayout"/> for
/// more.</summary>
internal unsafe interface IBlockLanes<TSelf> : ILanes<TSelf>
    where TSelf : struct, IBlockLanes<TSelf>
{
    /// <summary>Loads signed bytes as floats.</summary>
    static abstract TSelf LoadSignedBytes(sbyte* source);

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
    /// <param name="first">A multiple of the lanes.</param>
    /// <param name="table">Sixteen floats, then for each of 64 elements by how much its word is shifted.</param>
    static abstract TSelf Lookup(uint* words, int first, float* table);
}

internal readonly unsafe partial struct Lanes256 : IBlockLanes<Lanes256>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LoadSignedBytes(sbyte* source)
    {
        if (Avx2.IsSupported)
        {
            return new(Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(source)));
        }

        var shorts = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)source).AsSByte());
        var (low, high) = Vector128.Widen(shorts);
        return new(Vector256.ConvertToSingle(Vector256.Create(low, high)));
    }

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

        var index = ((Vector256.Load(words) >>> (first >>> 1)) & Vector256.Create(15u)).AsInt32();

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
        if (Avx2.IsSupported)
        {
            return Avx2.ConvertToVector256Int32(source);
        }

        var shorts = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)source).AsByte());
        var (low, high) = Vector128.Widen(shorts);
        return Vector256.Create(low, high).AsInt32();
    }
}

internal readonly unsafe partial struct Lanes128 : IBlockLanes<Lanes128>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 LoadSignedBytes(sbyte* source)
    {
        var shorts = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(uint*)source).AsSByte());
        return new(Vector128.ConvertToSingle(Vector128.WidenLower(shorts)));
    }

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
