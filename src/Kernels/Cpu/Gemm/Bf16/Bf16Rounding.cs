using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SafeLlama.Kernels;

/// <summary>fp32 to bf16 as the operands of products are rounded.</summary>
/// <remarks>
/// To nearest, ties to even; a NaN stays one, made quiet; what is then below 2⁻⁵⁶ in magnitude becomes +0. By the last
/// rule every product of two operands is a multiple of 2⁻¹²⁶, so no sum is subnormal. vdpbf16ps, which takes subnormal
/// numbers for zero, then gives the very bytes of fp32 multiply-adds in its order.
/// </remarks>
internal static unsafe class Bf16Rounding
{
    /// <summary>2⁻⁵⁶.</summary>
    public const float Least = 1.3877787807814457e-17f;

    /// <summary><see cref="Least"/> in bf16.</summary>
    private const ushort LeastBits = (127 - 56) << 7;

    private const ushort Magnitude = 0x7FFF;

    /// <summary>Floats of a vector: half of its bf16.</summary>
    private const int Half = 16;

    /// <summary>Selects the upper halves of two vectors of floats.</summary>
    private static readonly Vector512<ushort> UpperHalves = Vector512.Create([.. Enumerable.Range(0, 32)
        .Select(i => (ushort)((2 * i) + 1))]);

    private static readonly Bf16Tiles? Code = Bf16Tiles.Instance;

    private static Vector512<uint> UpperMask => Vector512.Create(0xFFFF0000u);

    /// <summary>The rule for one value.</summary>
    public static ushort Round(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value)
            ? (ushort)((bits >> 16) | 0x40) : Round((ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16));
    }

    /// <summary>The rule for a value that is bf16 already.</summary>
    public static ushort Round(ushort value) => (value & Magnitude) < LeastBits ? (ushort)0 : value;

    /// <inheritdoc cref="Round(ushort)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ushort> Round(Vector512<ushort> values)
    {
        var isSmall = Vector512.LessThan(values & Vector512.Create(Magnitude), Vector512.Create(LeastBits));
        return Vector512.ConditionalSelect(isSmall, Vector512<ushort>.Zero, values);
    }

    /// <summary>Sixteen floats, rounded.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Round(Vector512<float> values)
    {
        var rounded = (IsAnyNaN(values, values) ? NearestOrNaN(values) : Nearest(values)) & UpperMask;
        var magnitude = rounded & Vector512.Create(0x7FFFFFFFu);
        var isSmall = Vector512.LessThan(magnitude, Vector512.Create((uint)LeastBits << 16));
        return Vector512.ConditionalSelect(isSmall, Vector512<uint>.Zero, rounded).AsSingle();
    }

    /// <summary>Sixteen pairs: the rounded values of one row in the lower halves, of the next in the upper.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> RoundPairs(Vector512<float> even, Vector512<float> odd)
    {
        var (low, high) = IsAnyNaN(even, odd)
            ? (NearestOrNaN(even), NearestOrNaN(odd)) : (Nearest(even), Nearest(odd));
        return Round((Vector512.ShiftRightLogical(low, 16) | (high & UpperMask)).AsUInt16()).AsUInt32();
    }

    /// <summary>Thirty-two values of a row.</summary>
    /// <param name="first">The first sixteen.</param>
    /// <param name="second">The others.</param>
    /// <param name="upper"><see cref="UpperHalves"/>, in a register.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ushort> Round(Vector512<float> first, Vector512<float> second, Vector512<ushort> upper)
    {
        var (low, high) = IsAnyNaN(first, second)
            ? (NearestOrNaN(first), NearestOrNaN(second)) : (Nearest(first), Nearest(second));
        return Round(Avx512BW.PermuteVar32x16x2(low.AsUInt16(), upper, high.AsUInt16()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsAnyNaN(Vector512<float> some, Vector512<float> others) =>
        Avx512F.CompareUnordered(some, others).ExtractMostSignificantBits() != 0;

    /// <summary>The nearest bf16 in the upper halves, small ones too; the lower halves hold anything.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Nearest(Vector512<float> numbers)
    {
        var bits = numbers.AsUInt32();
        var even = Vector512.ShiftRightLogical(bits, 16) & Vector512.Create(1u);
        return bits + even + Vector512.Create(0x7FFFu);
    }

    /// <summary>As <see cref="Nearest"/>, but a NaN stays one, made quiet.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Vector512<uint> NearestOrNaN(Vector512<float> values) => Vector512.ConditionalSelect(
        Avx512F.CompareUnordered(values, values).AsUInt32(),
        values.AsUInt32() | Vector512.Create(0x400000u),
        Nearest(values));

    /// <summary>Rounds one row.</summary>
    /// <param name="from">[count].</param>
    /// <param name="to">[padded], zeros behind count; not over what is still to be read.</param>
    public static void RoundRow(float* from, int count, ushort* to, int padded) =>
        RoundRow(Code, from, count, to, padded);

    /// <summary>The same by some machine code, or without.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void RoundRow(Bf16Tiles? code, float* from, int count, ushort* to, int padded)
    {
        const int Together = RoundingCode.Together;
        var k = 0;
        if (code is not null && count >= Together)
        {
            k = count / Together * Together;
            var arguments = new RoundingArguments
            {
                From = from,
                To = to,
                ToEnd = to + k,
                Magnitude = Magnitude * 0x10001u,
                Least = LeastBits * 0x10001u,
            };
            code.Round(&arguments);
        }

        var upper = UpperHalves;
        for (; k <= count - Together; k += Together)
        {
            Round(Vector512.Load(from + k), Vector512.Load(from + k + Half), upper).Store(to + k);
        }

        for (; k < padded; k += Together)
        {
            var rounded = Round(LoadFirst(from + k, count - k), LoadFirst(from + k + Half, count - k - Half), upper);
            var isThere = Vector512.LessThan(
                Vector512<ushort>.Indices, Vector512.Create((ushort)Math.Min(padded - k, Together)));
            Avx512BW.MaskStore(to + k, isThere, rounded);
        }
    }

    /// <summary>Zeros in lanes from <paramref name="count"/> on, which are not read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> LoadFirst(float* from, int count) => Avx512F.MaskLoad(
        from, Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).AsSingle(), Vector512<float>.Zero);
}
