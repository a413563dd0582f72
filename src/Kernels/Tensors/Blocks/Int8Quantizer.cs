using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SafeLlama.Kernels;

/// <summary>Rows to signed bytes: q = round(w · 127 / absmax), to nearest with ties to even, in fp32.</summary>
public static class Int8Quantizer
{
    /// <summary>Beyond this fp16 has no number: half a step above its largest.</summary>
    private const float Overflow = 65520;

    /// <summary>The smallest number whose fp16 has all bits of its mantissa.</summary>
    private const float LeastNormal = 1f / (1 << 14);

    /// <summary>The largest magnitude of a row.</summary>
    /// <param name="below">Larger ones are passed over, and this one; infinity for none.</param>
    public static float Absmax(ReadOnlySpan<float> row, float below = float.PositiveInfinity)
    {
        var (i, most) = (0, Vector256<float>.Zero);
        var limit = Vector256.Create(below);
        for (; i <= row.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            var magnitude = Vector256.Abs(Vector256.Create(row[i..]));
            most = Vector256.Max(
                most, Vector256.ConditionalSelect(Vector256.LessThan(magnitude, limit), magnitude, most));
        }

        var largest = 0f;
        for (var lane = 0; lane < Vector256<float>.Count; lane++)
        {
            largest = MathF.Max(largest, most[lane]);
        }

        for (; i < row.Length; i++)
        {
            var magnitude = MathF.Abs(row[i]);
            largest = magnitude < below ? MathF.Max(largest, magnitude) : largest;
        }

        return largest;
    }

    /// <summary>Quantizes a row.</summary>
    /// <param name="absmax">Its <see cref="Absmax"/>.</param>
    public static void Quantize(ReadOnlySpan<float> row, float absmax, Span<sbyte> codes)
    {
        var factor = Factor(absmax);
        for (var i = 0; i < row.Length; i++)
        {
            codes[i] = (sbyte)MathF.Round(row[i] * factor);
        }
    }

    /// <summary>The same, as whole floats, in place.</summary>
    public static void QuantizeInPlace(Span<float> row, float absmax)
    {
        var (i, factor) = (0, Factor(absmax));
        for (; i <= row.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            Vector256.Round(Vector256.Create<float>(row[i..]) * factor).CopyTo(row[i..]);
        }

        for (; i < row.Length; i++)
        {
            row[i] = MathF.Round(row[i] * factor);
        }
    }

    /// <summary>Rounds to the nearest fp16, ties to even, as bitsandbytes does with weights and activations.</summary>
    public static void RoundToHalf(ReadOnlySpan<float> values, Span<float> rounded)
    {
        var i = 0;
        for (; i <= values.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            Rounded(Vector256.Create(values[i..])).CopyTo(rounded[i..]);
        }

        for (; i < values.Length; i++)
        {
            rounded[i] = (float)(Half)values[i];
        }
    }

    private static float Factor(float absmax) => absmax > 0 && float.IsFinite(absmax) ? 127 / absmax : 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Rounded(Vector256<float> x)
    {
        var sign = x.AsUInt32() & Vector256.Create(0x80000000u);
        var magnitude = Vector256.Abs(x);

        // Thirteen bits of the mantissa go; below the least normal number, what is no multiple of 2^-24.
        var bits = magnitude.AsUInt32();
        var odd = (bits >>> 13) & Vector256<uint>.One;
        var normal = ((bits + Vector256.Create(0xFFFu) + odd) & Vector256.Create(~0x1FFFu)).AsSingle();
        var half = Vector256.Create(0.5f);
        var small = (magnitude + half) - half;
        var rounded = Vector256.ConditionalSelect(
            Vector256.LessThan(magnitude, Vector256.Create(LeastNormal)), small, normal);
        rounded = Vector256.ConditionalSelect(
            Vector256.LessThan(magnitude, Vector256.Create(Overflow)), rounded,
            magnitude + Vector256.Create(float.PositiveInfinity));
        return (rounded.AsUInt32() | sign).AsSingle();
    }
}
