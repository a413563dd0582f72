using ILGPU;

namespace SafeLlama.Kernels;

/// <summary><see cref="Int8Format"/> with rows of whole fours: a word of 32 bits, the row's absmax or four codes.
/// </summary>
internal readonly struct GpuInt8(uint word) : IGpuBlocks<GpuInt8>
{
    private readonly uint _word = word;

    public static float Read(ArrayView<GpuInt8> memory, long row, int column) =>
        Code(memory[row + 1 + (column / 4)], 8 * (column % 4)) * Scale(memory, row);

    public static Float8 Read(ArrayView<GpuInt8> memory, long row, int column, int left, float outside) =>
        Scale(memory, row) * Codes(memory, row, column, left);

    /// <summary>The largest magnitude of a row, from its first word.</summary>
    public static float Absmax(GpuInt8 first) => Interop.IntAsFloat(first._word);

    /// <summary>Eight neighbors without their scale; a row may end behind four of them, and zeros follow.</summary>
    public static Float8 Codes(ArrayView<GpuInt8> memory, long row, int column, int left)
    {
        var at = row + 1 + (column / 4);
        var low = left > 0 ? memory[at] : default;
        var high = left > 4 ? memory[at + 1] : default;
        return new(
            Code(low, 0), Code(low, 8), Code(low, 16), Code(low, 24),
            Code(high, 0), Code(high, 8), Code(high, 16), Code(high, 24));
    }

    /// <summary>A signed byte of a word, from a bit on.</summary>
    public static float Code(GpuInt8 stored, int bit) => (int)(stored._word << (24 - bit)) >> 24;

    private static float Scale(ArrayView<GpuInt8> memory, long row) => Absmax(memory[row]) * Int8Format.Step;
}

/// <summary><see cref="Int8Codes"/>: the same rows, their scale left out.</summary>
internal readonly struct GpuInt8Codes(uint word) : IGpuBlocks<GpuInt8Codes>
{
    private readonly uint _word = word;

    public static float Read(ArrayView<GpuInt8Codes> memory, long row, int column) =>
        GpuInt8.Code(new(memory[row + 1 + (column / 4)]._word), 8 * (column % 4));

    public static Float8 Read(ArrayView<GpuInt8Codes> memory, long row, int column, int left, float outside) =>
        GpuInt8.Codes(memory.Cast<GpuInt8>(), row, column, left);
}
