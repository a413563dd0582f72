using System.Runtime.Intrinsics;

namespace SafeLlama.Model;

/// <summary>
/// Q4_0: 32 values, x ≈ d · (q − 8) with q in 0 … 15. Bytes: fp16 d, then value j in the low half of byte j and value
/// j + 16 in its high half.
/// </summary>
internal static class Q4Block
{
    public static void Encode(ReadOnlySpan<float> x, Span<byte> block)
    {
        // The scale takes the sign of the value of largest magnitude, so that q = 0 represents that value exactly.
        var d = Extreme.Of(x) / -8;
        var inverse = d != 0 ? 1 / d : 0;
        StoredHalf.Write(block, d);
        for (var j = 0; j < 16; j++)
        {
            block[2 + j] = (byte)(Quant(x[j] * inverse) | (Quant(x[j + 16] * inverse) << 4));
        }
    }

    public static void Decode(ReadOnlySpan<byte> block, Span<float> x)
    {
        var bytes = Vector128.Create(block.Slice(2, 16));
        var q = Vector256.Create(bytes & Vector128.Create((byte)15), bytes >>> 4).AsSByte();
        BlockVectors.Store(q - Vector256.Create((sbyte)8), StoredHalf.Read(block), 0, x);
    }

    private static int Quant(float scaled) => Math.Min(15, (int)(scaled + 8.5f));
}
