using ILGPU;

namespace SafeLlama.Kernels;

/// <summary>GGUF's Q4_K: words of 32 bits, 36 to a block of 256 in eight runs of 32.</summary>
/// <remarks>
/// The first word holds d and dmin in fp16, three words hold a scale and a minimum of six bits for each run, and the
/// rest elements of four bits: those of two runs share a byte. An element is d · scale · q − dmin · minimum.
/// </remarks>
internal readonly struct GpuQ4K(uint word) : IGpuBlocks<GpuQ4K>
{
    private const int Block = 256, Run = 32, Words = 36, Elements = 4;

    private readonly uint _word = word;

    public static float Read(ArrayView<GpuQ4K> memory, long row, int column)
    {
        var (block, e) = (row + (column / Block * Words), column % Block);
        var (run, i) = (e / Run, e % Run);
        var at = block + Elements + (run / 2 * 8) + (i / 4);
        return (Code(memory[at], (run % 2 * 4) + (8 * (i % 4))) * Scale(memory, block, run))
            - Least(memory, block, run);
    }

    public static Float8 Read(ArrayView<GpuQ4K> memory, long row, int column, int left, float outside)
    {
        if (left < Float8.Count)
        {
            return Float8.All(outside);
        }

        var (block, e) = (row + (column / Block * Words), column % Block);
        var (run, i) = (e / Run, e % Run);
        var (at, bit) = (block + Elements + (run / 2 * 8) + (i / 4), run % 2 * 4);
        var (low, high) = (memory[at], memory[at + 1]);
        var codes = new Float8(
            Code(low, bit), Code(low, bit + 8), Code(low, bit + 16), Code(low, bit + 24),
            Code(high, bit), Code(high, bit + 8), Code(high, bit + 16), Code(high, bit + 24));
        return (Scale(memory, block, run) * codes) - Float8.All(Least(memory, block, run));
    }

    private static float Scale(ArrayView<GpuQ4K> memory, long block, int run)
    {
        var bit = 8 * (run % 4);
        var (a, c) = (memory[block + 1]._word >> bit, memory[block + 3]._word >> bit);
        var six = run < 4 ? a & 63u : (c & 15u) | (((a >> 6) & 3u) << 4);
        return GpuFloat16.Widen(new((ushort)memory[block]._word)) * (int)six;
    }

    private static float Least(ArrayView<GpuQ4K> memory, long block, int run)
    {
        var bit = 8 * (run % 4);
        var (b, c) = (memory[block + 2]._word >> bit, memory[block + 3]._word >> bit);
        var six = run < 4 ? b & 63u : ((c >> 4) & 15u) | (((b >> 6) & 3u) << 4);
        return GpuFloat16.Widen(new((ushort)(memory[block]._word >> 16))) * (int)six;
    }

    private static float Code(GpuQ4K stored, int bit) => (int)((stored._word >> bit) & 15u);
}
