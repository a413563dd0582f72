using System.Runtime.Intrinsics;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>A matrix in NF4 as bitsandbytes stores it.</summary>
/// <param name="Packed">Two indexes a byte, the first in the high half.</param>
/// <param name="Absmax">The largest magnitude of each block of 64.</param>
public sealed record Nf4Matrix(byte[] Packed, float[] Absmax);

/// <summary>Absmax values quantized once more.</summary>
/// <param name="Codes">Indexes into <see cref="DynamicMap"/>.</param>
/// <param name="Absmax">The largest magnitude of each 256, the mean taken off.</param>
/// <param name="Offset">The mean.</param>
public sealed record NestedAbsmax(byte[] Codes, float[] Absmax, float Offset);

/// <summary>Numbers to NF4 and absmax values to bytes, in fp32 and in bitsandbytes' order.</summary>
public static class Nf4Quantizer
{
    /// <summary>Absmax values that share one of their own.</summary>
    public const int NestedBlock = 256;

    /// <summary>The middles of neighboring values, in fp32: what is above goes up.</summary>
    private static readonly float[] Thresholds = [.. Enumerable.Range(0, 15).Select(
        i => (Nf4Format.Values[i] + Nf4Format.Values[i + 1]) / 2)];

    /// <summary>Quantizes the elements of a flattened matrix, whole blocks of 64 but for the last of all.</summary>
    /// <param name="values">Finite numbers.</param>
    /// <param name="packed">Two indexes a byte.</param>
    /// <param name="absmax">One for each block.</param>
    public static void Quantize(ReadOnlySpan<float> values, Span<byte> packed, Span<float> absmax)
    {
        Span<float> scaled = stackalloc float[Nf4Format.Shared];
        Span<int> indexes = stackalloc int[Nf4Format.Shared];
        for (var block = 0; block < absmax.Length; block++)
        {
            var from = values[(block * Nf4Format.Shared)..];
            from = from[..Math.Min(from.Length, Nf4Format.Shared)];
            var most = 0f;
            foreach (var value in from)
            {
                most = MathF.Max(most, MathF.Abs(value));
            }

            absmax[block] = most;
            var inverse = most > 0 ? 1 / most : 0;
            scaled.Clear();
            for (var i = 0; i < from.Length; i++)
            {
                // The inverse of a denormal number may be infinite, and 0 times that is none.
                scaled[i] = float.IsFinite(inverse) ? from[i] * inverse : from[i] / most;
            }

            Indexes(scaled, indexes);
            var to = packed[(block * Nf4Format.Shared / 2)..];
            for (var i = 0; i < from.Length; i += 2)
            {
                // An odd count ends with half a byte: the index of zero.
                to[i / 2] = (byte)((indexes[i] << 4) | indexes[i + 1]);
            }
        }
    }

    /// <summary>Quantizes absmax values.</summary>
    public static NestedAbsmax Nest(ReadOnlySpan<float> absmax)
    {
        var sum = 0.0;
        foreach (var value in absmax)
        {
            sum += value;
        }

        var offset = (float)(sum / absmax.Length);
        var codes = new byte[absmax.Length];
        var most = new float[(absmax.Length + NestedBlock - 1) / NestedBlock];
        for (var block = 0; block < most.Length; block++)
        {
            var (first, end) = (block * NestedBlock, Math.Min(absmax.Length, (block + 1) * NestedBlock));
            for (var i = first; i < end; i++)
            {
                most[block] = MathF.Max(most[block], MathF.Abs(absmax[i] - offset));
            }

            var inverse = most[block] > 0 ? 1 / most[block] : 0;
            for (var i = first; i < end; i++)
            {
                var distance = absmax[i] - offset;
                codes[i] = DynamicMap.Nearest(float.IsFinite(inverse) ? distance * inverse : distance / most[block]);
            }
        }

        return new(codes, most, offset);
    }

    /// <summary>The absmax values that a nested form stands for.</summary>
    public static float[] Unnest(NestedAbsmax nested, ReadOnlySpan<float> map)
    {
        var absmax = new float[nested.Codes.Length];
        for (var i = 0; i < absmax.Length; i++)
        {
            var scaled = map[nested.Codes[i]] * nested.Absmax[i / NestedBlock];
            absmax[i] = scaled + nested.Offset;
        }

        return absmax;
    }

    /// <summary>How many thresholds lie strictly below each value.</summary>
    private static void Indexes(ReadOnlySpan<float> scaled, Span<int> indexes)
    {
        for (var i = 0; i < scaled.Length; i += Vector256<float>.Count)
        {
            var x = Vector256.Create(scaled[i..]);
            var count = Vector256<int>.Zero;
            foreach (var threshold in Thresholds)
            {
                count -= Vector256.GreaterThan(x, Vector256.Create(threshold)).AsInt32();
            }

            count.CopyTo(indexes[i..]);
        }
    }
}
