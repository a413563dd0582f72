namespace SafeLlama.Model;

/// <summary>
/// Q4_0: 32 values, x ≈ d · (q − 8) with q in 0 … 15. Bytes: fp16 d, then value j in the low half of byte j and value
/// j + 16 in its high half.
/// </summary>
internal static class Q4Block
{
    public static void Encode(ReadOnlySpan<float> x, Span<byte> block)
    {
        // The value of largest magnitude keeps its sign, so that it is met exactly by q = 0.
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
        var d = StoredHalf.Read(block);
        for (var j = 0; j < 16; j++)
        {
            x[j] = ((block[2 + j] & 15) - 8) * d;
            x[j + 16] = ((block[2 + j] >> 4) - 8) * d;
        }
    }

    private static int Quant(float scaled) => Math.Min(15, (int)(scaled + 8.5f));
}
