using System.Runtime.Intrinsics;

namespace SafeLlama.Model;

/// <summary>
/// Q4_K: 256 values in eight groups of 32, x ≈ d · s · q − dmin · m with q in 0 … 15 and s, m of 6 bits a group.
/// </summary>
/// <remarks>Bytes: fp16 d, fp16 dmin, 12 of scales and minimums, 128 of which each holds two q 32 apart.</remarks>
internal static class Q4KBlock
{
    private const int Groups = 8;
    private const int GroupSize = 32;

    public static void Encode(ReadOnlySpan<float> x, Span<byte> block)
    {
        Span<byte> q = stackalloc byte[Groups * GroupSize];
        Span<float> scales = stackalloc float[Groups], minimums = stackalloc float[Groups];
        var (largestScale, largestMinimum) = (0f, 0f);
        for (var j = 0; j < Groups; j++)
        {
            var part = Part(j);
            (scales[j], minimums[j]) = ShiftedFit.Fit(x[part], q[part]);
            largestScale = scales[j] > largestScale ? scales[j] : largestScale;
            largestMinimum = minimums[j] > largestMinimum ? minimums[j] : largestMinimum;
        }

        var (perScale, perMinimum) = (
            largestScale > 0 ? 63 / largestScale : 0, largestMinimum > 0 ? 63 / largestMinimum : 0);
        var packed = block.Slice(4, 12);
        packed.Clear();
        for (var j = 0; j < Groups; j++)
        {
            Pack(packed, j, SixBits(perScale * scales[j]), SixBits(perMinimum * minimums[j]));
        }

        StoredHalf.Write(block, largestScale / 63);
        StoredHalf.Write(block[2..], largestMinimum / 63);
        Requantize(x, block, q);
        for (var i = 0; i < 128; i++)
        {
            var at = (i / 32 * 64) + (i % 32);
            block[16 + i] = (byte)(q[at] | (q[at + 32] << 4));
        }
    }

    public static void Decode(ReadOnlySpan<byte> block, Span<float> x)
    {
        var (d, dmin) = (StoredHalf.Read(block), StoredHalf.Read(block[2..]));
        for (var j = 0; j < Groups; j++)
        {
            var (s, m) = Unpack(block.Slice(4, 12), j);
            var bytes = BlockVectors.Load(block[(16 + (j / 2 * 32))..]);
            var q = j % 2 == 0 ? BlockVectors.Low(bytes) : BlockVectors.High(bytes);
            BlockVectors.Store(q.AsSByte(), d * s, dmin * m, x[(j * GroupSize)..]);
        }
    }

    /// <summary>The values once more, by the scales as they are stored.</summary>
    private static void Requantize(ReadOnlySpan<float> x, ReadOnlySpan<byte> block, Span<byte> q)
    {
        for (var j = 0; j < Groups; j++)
        {
            var (s, m) = Unpack(block.Slice(4, 12), j);
            var (scale, minimum) = (StoredHalf.Read(block) * s, StoredHalf.Read(block[2..]) * m);
            if (scale == 0)
            {
                continue;
            }

            for (var i = j * GroupSize; i < (j + 1) * GroupSize; i++)
            {
                q[i] = (byte)Math.Clamp((int)MathF.Round((x[i] + minimum) / scale), 0, 15);
            }
        }
    }

    private static Range Part(int group) => (group * GroupSize)..((group + 1) * GroupSize);

    private static int SixBits(float value) => Math.Min(63, (int)MathF.Round(value));

    /// <summary>Scale and minimum of groups 0 to 3 are six bits of a byte each; those of 4 to 7 are split.</summary>
    private static void Pack(Span<byte> packed, int group, int scale, int minimum)
    {
        if (group < 4)
        {
            (packed[group], packed[group + 4]) = ((byte)scale, (byte)minimum);
            return;
        }

        packed[group + 4] = (byte)((scale & 15) | ((minimum & 15) << 4));
        packed[group - 4] |= (byte)(scale >> 4 << 6);
        packed[group] |= (byte)(minimum >> 4 << 6);
    }

    private static (int Scale, int Minimum) Unpack(ReadOnlySpan<byte> packed, int group) => group < 4
        ? (packed[group] & 63, packed[group + 4] & 63)
        : (
            (packed[group + 4] & 15) | (packed[group - 4] >> 6 << 4),
            (packed[group + 4] >> 4) | (packed[group] >> 6 << 4));
}
