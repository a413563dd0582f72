using System.Runtime.Intrinsics;

namespace SafeLlama.Model;

/// <summary>
/// Q6_K: 256 values in sixteen groups of 16, x ≈ d · s · q with q in −32 … 31 and s a signed byte a group.
/// </summary>
/// <remarks>
/// Bytes: 128 with the lower four bits of two values each, 64 with the upper two bits of four, 16 scales, fp16 d. In
/// each half of 128 values, byte l of the lower bits holds values l and l + 64, byte 32 + l holds l + 32 and l + 96,
/// and byte l of the upper bits holds all four.
/// </remarks>
internal static class Q6KBlock
{
    private const int Groups = 16;
    private const int GroupSize = 16;
    private const int Upper = 128;
    private const int Scales = 192;

    /// <summary>Where d stands.</summary>
    public const int Scale = 208;


    public static void Encode(ReadOnlySpan<float> x, Span<byte> block)
    {
        Span<byte> q = stackalloc byte[Groups * GroupSize];
        Span<float> scales = stackalloc float[Groups];
        for (var j = 0; j < Groups; j++)
        {
            scales[j] = SymmetricFit.Fit(x.Slice(j * GroupSize, GroupSize), q.Slice(j * GroupSize, GroupSize));
        }

        var largest = Extreme.Of(scales);
        if (MathF.Abs(largest) < SymmetricFit.Nothing)
        {
            block.Clear();
            return;
        }

        var inverse = -128 / largest;
        StoredHalf.Write(block[Scale..], 1 / inverse);
        for (var j = 0; j < Groups; j++)
        {
            block[Scales + j] = (byte)(sbyte)Math.Min(127, (int)MathF.Round(inverse * scales[j]));
        }

        Requantize(x, block, q);
        for (var half = 0; half < 2; half++)
        {
            var from = q[(half * 128)..];
            var lower = block[(half * 64)..];
            var upper = block[(Upper + (half * 32))..];
            for (var l = 0; l < 32; l++)
            {
                lower[l] = (byte)((from[l] & 15) | ((from[l + 64] & 15) << 4));
                lower[l + 32] = (byte)((from[l + 32] & 15) | ((from[l + 96] & 15) << 4));
                upper[l] = (byte)((from[l] >> 4) | (from[l + 32] >> 4 << 2) | (from[l + 64] >> 4 << 4)
                    | (from[l + 96] >> 4 << 6));
            }
        }
    }

    public static void Decode(ReadOnlySpan<byte> block, Span<float> x)
    {
        var d = StoredHalf.Read(block[Scale..]);
        for (var part = 0; part < 8; part++)
        {
            var (half, quarter) = (part / 4, part % 4);
            var bytes = BlockVectors.Load(block[((half * 64) + (quarter % 2 * 32))..]);
            var lower = quarter < 2 ? BlockVectors.Low(bytes) : BlockVectors.High(bytes);
            var bits = BlockVectors.Load(block[(Upper + (half * 32))..]);
            var upper = (bits >>> (quarter * 2)) & Vector256.Create((byte)3);
            var q = (lower | (upper << 4)).AsSByte() - Vector256.Create((sbyte)32);
            var (first, second) = ((sbyte)block[Scales + (part * 2)], (sbyte)block[Scales + (part * 2) + 1]);
            BlockVectors.Store(q, d * first, d * second, 0, x[(part * 32)..]);
        }
    }

    /// <summary>The values once more, by the scales as they are stored; 32 is added to each.</summary>
    private static void Requantize(ReadOnlySpan<float> x, ReadOnlySpan<byte> block, Span<byte> q)
    {
        for (var i = 0; i < x.Length; i++)
        {
            var scale = StoredHalf.Read(block[Scale..]) * (sbyte)block[Scales + (i / GroupSize)];
            if (scale != 0)
            {
                q[i] = (byte)(Math.Clamp((int)MathF.Round(x[i] / scale), -32, 31) + 32);
            }
        }
    }
}
