using ILGPU;

namespace SafeLlama.Kernels;

/// <summary>GGUF's Q4_0: halves of words, nine to a block of 32, an fp16 scale and then sixteen bytes.</summary>
/// <remarks>Byte i holds element i in its low bits and element i + 16 above them, each with 8 added.</remarks>
internal readonly struct GpuQ4(ushort half) : IGpuBlocks<GpuQ4>
{
    private const int Block = 32, Halves = 9;

    private readonly ushort _half = half;

    public static float Read(ArrayView<GpuQ4> memory, long row, int column)
    {
        var (block, e) = (row + (column / Block * Halves), column % Block);
        return Code(memory[block + 1 + (e % 16 / 2)], (4 * (e / 16)) + (8 * (e % 2))) * Scale(memory[block]);
    }

    public static Float8 Read(ArrayView<GpuQ4> memory, long row, int column, int left, float outside)
    {
        if (left < Float8.Count)
        {
            return Float8.All(outside);
        }

        var (block, e) = (row + (column / Block * Halves), column % Block);
        var (at, low) = (block + 1 + (e % 16 / 2), 4 * (e / 16));
        var (a, b, c, d) = (memory[at], memory[at + 1], memory[at + 2], memory[at + 3]);
        return Scale(memory[block]) * new Float8(
            Code(a, low), Code(a, low + 8), Code(b, low), Code(b, low + 8),
            Code(c, low), Code(c, low + 8), Code(d, low), Code(d, low + 8));
    }

    private static float Scale(GpuQ4 stored) => GpuFloat16.Widen(new(stored._half));

    private static float Code(GpuQ4 stored, int bit) => (int)(((uint)stored._half >> bit) & 15u) - 8;
}
