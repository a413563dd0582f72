using ILGPU;

namespace SafeLlama.Kernels;

/// <summary>GGUF's Q8_0: halves of words, seventeen to a block of 32, an fp16 scale and then two codes in
/// each.</summary>
internal readonly struct GpuQ8(ushort half) : IGpuBlocks<GpuQ8>
{
    private const int Block = 32, Halves = 17;

    private readonly ushort _half = half;

    public static float Read(ArrayView<GpuQ8> memory, long row, int column)
    {
        var (block, e) = (row + (column / Block * Halves), column % Block);
        return Code(memory[block + 1 + (e / 2)], 8 * (e % 2)) * Scale(memory[block]);
    }

    public static Float8 Read(ArrayView<GpuQ8> memory, long row, int column, int left, float outside)
    {
        if (left < Float8.Count)
        {
            return Float8.All(outside);
        }

        var block = row + (column / Block * Halves);
        var at = block + 1 + (column % Block / 2);
        var (a, b, c, d) = (memory[at], memory[at + 1], memory[at + 2], memory[at + 3]);
        return Scale(memory[block]) * new Float8(
            Code(a, 0), Code(a, 8), Code(b, 0), Code(b, 8), Code(c, 0), Code(c, 8), Code(d, 0), Code(d, 8));
    }

    private static float Scale(GpuQ8 stored) => GpuFloat16.Widen(new(stored._half));

    private static float Code(GpuQ8 stored, int bit) => (int)((uint)stored._half << (24 - bit)) >> 24;
}
