using System.Runtime.Intrinsics;

namespace SafeLlama.Model;

/// <summary>Q8_0: 32 values, x ≈ d · q with q in −127 … 127. Bytes: fp16 d, 32 signed bytes.</summary>
internal static class Q8Block
{
    public static void Encode(ReadOnlySpan<float> x, Span<byte> block)
    {
        var largest = 0f;
        foreach (var value in x)
        {
            largest = MathF.Max(largest, MathF.Abs(value));
        }

        // The values are divided by the scale before it is rounded to fp16.
        var d = largest / 127;
        var inverse = d != 0 ? 1 / d : 0;
        StoredHalf.Write(block, d);
        for (var i = 0; i < x.Length; i++)
        {
            block[2 + i] = (byte)(sbyte)MathF.Round(x[i] * inverse, MidpointRounding.AwayFromZero);
        }
    }

    public static void Decode(ReadOnlySpan<byte> block, Span<float> x)
    {
        BlockVectors.Store(BlockVectors.Load(block[2..]).AsSByte(), StoredHalf.Read(block), 0, x);
    }
}
