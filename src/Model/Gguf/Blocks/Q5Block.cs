using System.Buffers.Binary;

namespace SafeLlama.Model;

/// <summary>
/// Five bits each for 32 values: Q5_0, x ≈ d · (q − 16), and Q5_1, x ≈ d · q + m. Bytes: fp16 d (Q5_1: and m), the
/// fifth bits in a 32-bit number, the other four as in Q4_0.
/// </summary>
internal static class Q5Block
{
    public static void EncodeSymmetric(ReadOnlySpan<float> x, Span<byte> block)
    {
        var d = Extreme.Of(x) / -16;
        var inverse = d != 0 ? 1 / d : 0;
        StoredHalf.Write(block, d);
        Span<byte> q = stackalloc byte[32];
        for (var i = 0; i < 32; i++)
        {
            q[i] = (byte)Math.Min(31, (int)((x[i] * inverse) + 16.5f));
        }

        Pack(q, block[2..]);
    }

    public static void EncodeShifted(ReadOnlySpan<float> x, Span<byte> block)
    {
        var (min, max) = (x[0], x[0]);
        foreach (var value in x)
        {
            (min, max) = (value < min ? value : min, value > max ? value : max);
        }

        var d = (max - min) / 31;
        var inverse = d != 0 ? 1 / d : 0;
        StoredHalf.Write(block, d);
        StoredHalf.Write(block[2..], min);
        Span<byte> q = stackalloc byte[32];
        for (var i = 0; i < 32; i++)
        {
            q[i] = (byte)(((x[i] - min) * inverse) + 0.5f);
        }

        Pack(q, block[4..]);
    }

    public static void DecodeSymmetric(ReadOnlySpan<byte> block, Span<float> x)
    {
        var d = StoredHalf.Read(block);
        for (var i = 0; i < 32; i++)
        {
            x[i] = (Unpack(block[2..], i) - 16) * d;
        }
    }

    public static void DecodeShifted(ReadOnlySpan<byte> block, Span<float> x)
    {
        var (d, min) = (StoredHalf.Read(block), StoredHalf.Read(block[2..]));
        for (var i = 0; i < 32; i++)
        {
            x[i] = (Unpack(block[4..], i) * d) + min;
        }
    }

    private static void Pack(ReadOnlySpan<byte> q, Span<byte> packed)
    {
        var fifth = 0u;
        for (var i = 0; i < 32; i++)
        {
            fifth |= (uint)(q[i] >> 4) << i;
        }

        BinaryPrimitives.WriteUInt32LittleEndian(packed, fifth);
        for (var j = 0; j < 16; j++)
        {
            packed[4 + j] = (byte)((q[j] & 15) | ((q[j + 16] & 15) << 4));
        }
    }

    private static int Unpack(ReadOnlySpan<byte> packed, int i)
    {
        var four = i < 16 ? packed[4 + i] & 15 : packed[4 + i - 16] >> 4;
        return four | (int)((BinaryPrimitives.ReadUInt32LittleEndian(packed) >> i) & 1) << 4;
    }
}
