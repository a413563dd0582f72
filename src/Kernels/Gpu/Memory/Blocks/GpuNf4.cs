using ILGPU;

namespace SafeLlama.Kernels;

/// <summary><see cref="Nf4Format"/> with blocks of 64: a word of 32 bits, nine to a block.</summary>
/// <remarks>
/// Element e of a block is the four bits of word e mod 8 from bit 4 · (e div 8) on, so eight neighbors are one place of
/// eight words. The sixteen values that they are indexes of stand behind the weight, in the last words of its memory:
/// one line of cache for all threads.
/// </remarks>
internal readonly struct GpuNf4(uint word) : IGpuBlocks<GpuNf4>
{
    /// <summary>Words of a block: its absmax, then the indexes.</summary>
    private const int Words = 1 + (Nf4Format.Shared / 8);

    private readonly uint _word = word;

    public static float Read(ArrayView<GpuNf4> memory, long row, int column)
    {
        var block = row + (column / Nf4Format.Shared * Words);
        var e = column % Nf4Format.Shared;
        return Value(memory, memory[block + 1 + (e % 8)], 4 * (e / 8)) * Float(memory[block]);
    }

    public static Float8 Read(ArrayView<GpuNf4> memory, long row, int column, int left, float outside)
    {
        if (left < Float8.Count)
        {
            return Float8.All(outside);
        }

        var at = row + (column / Nf4Format.Shared * Words);
        var shift = column % Nf4Format.Shared / 2;
        return Float(memory[at]) * new Float8(
            Value(memory, memory[at + 1], shift), Value(memory, memory[at + 2], shift),
            Value(memory, memory[at + 3], shift), Value(memory, memory[at + 4], shift),
            Value(memory, memory[at + 5], shift), Value(memory, memory[at + 6], shift),
            Value(memory, memory[at + 7], shift), Value(memory, memory[at + 8], shift));
    }

    private static float Float(GpuNf4 stored) => Interop.IntAsFloat(stored._word);

    private static float Value(ArrayView<GpuNf4> memory, GpuNf4 stored, int shift) =>
        Float(memory[memory.Length - Nf4Format.ValueCount + ((stored._word >> shift) & 15u)]);
}
