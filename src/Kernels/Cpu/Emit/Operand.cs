namespace SafeLlama.Kernels;

/// <summary>A place in memory that an instruction names: base + index · scale + displacement.</summary>
/// <param name="Base">Number of the base register.</param>
/// <param name="Displacement">Bytes.</param>
/// <param name="Index">Number of the index register; −1 for none.</param>
/// <param name="Scale">1, 2, 4 or 8.</param>
internal readonly record struct Operand(int Base, int Displacement = 0, int Index = -1, int Scale = 1);

/// <summary>Condition codes of jumps, as the processor numbers them.</summary>
internal enum Condition
{
    Always = -1,
    Below = 2,
    AboveOrEqual = 3,
    Zero = 4,
}
