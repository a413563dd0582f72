using ILGPU;

namespace SafeLlama.Kernels;

/// <summary>GGUF's Q6_K: halves of words, 105 to a block of 256.</summary>
/// <remarks>
/// 128 bytes hold the low four bits of the elements, 64 bytes the two above, 16 signed bytes a scale for each sixteen;
/// d in fp16 comes last. An element is d · scale · (q − 32).
/// </remarks>
internal readonly struct GpuQ6K(ushort half) : IGpuBlocks<GpuQ6K>
{
    private const int Block = 256, Halves = 105, Upper = 64, Scales = 96, Last = 104;

    private readonly ushort _half = half;

    public static float Read(ArrayView<GpuQ6K> memory, long row, int column)
    {
        var (block, e) = (row + (column / Block * Halves), column % Block);
        var (part, odd) = (Place(e), 8 * (e % 2));
        return Code(memory[block + part.Low], memory[block + part.High], part.Bit + odd, part.Pair + odd)
            * Scale(memory, block, e);
    }

    public static Float8 Read(ArrayView<GpuQ6K> memory, long row, int column, int left, float outside)
    {
        if (left < Float8.Count)
        {
            return Float8.All(outside);
        }

        var (block, e) = (row + (column / Block * Halves), column % Block);
        var part = Place(e);
        var (low, high, bit, pair) = (block + part.Low, block + part.High, part.Bit, part.Pair);
        return Scale(memory, block, e) * new Float8(
            Code(memory[low], memory[high], bit, pair), Code(memory[low], memory[high], bit + 8, pair + 8),
            Code(memory[low + 1], memory[high + 1], bit, pair),
            Code(memory[low + 1], memory[high + 1], bit + 8, pair + 8),
            Code(memory[low + 2], memory[high + 2], bit, pair),
            Code(memory[low + 2], memory[high + 2], bit + 8, pair + 8),
            Code(memory[low + 3], memory[high + 3], bit, pair),
            Code(memory[low + 3], memory[high + 3], bit + 8, pair + 8));
    }

    /// <summary>Where an element's bits stand: its halves of words, and the first bits within a byte.</summary>
    private static (int Low, int High, int Bit, int Pair) Place(int e)
    {
        var (half, quarter, i) = (e / 128, e % 128 / 32, e % 32);
        return (
            ((half * 64) + (quarter % 2 * 32) + i) / 2, Upper + (((half * 32) + i) / 2), quarter / 2 * 4, quarter * 2);
    }

    private static float Code(GpuQ6K low, GpuQ6K high, int bit, int pair) =>
        (int)((((uint)low._half >> bit) & 15u) | ((((uint)high._half >> pair) & 3u) << 4)) - 32;

    private static float Scale(ArrayView<GpuQ6K> memory, long block, int e)
    {
        uint both = memory[block + Scales + (e / 32)]._half;
        var scale = (int)(both << (24 - (e / 16 % 2 * 8))) >> 24;
        return GpuFloat16.Widen(new(memory[block + Last]._half)) * scale;
    }
}
