namespace SafeLlama.Kernels;

/// <summary>How the elements of a block become floats in registers, those that <see cref="WeightFormat.Decode"/> gives.
/// </summary>
/// <remarks>A block is read in runs of 32 elements.</remarks>
internal unsafe interface IBlockLayout
{
    /// <summary>Elements of a run.</summary>
    const int Run = 32;

    /// <summary>Most floats that <see cref="Prepare"/> writes.</summary>
    const int MostScales = 16;

    /// <summary>Elements of a block; 0 where a row is one block.</summary>
    static abstract int Size { get; }

    /// <summary>Bytes of a block; of its scale where a row is one block.</summary>
    static abstract int Bytes { get; }

    /// <summary>What all blocks share, in memory that stays where it is; null for nothing.</summary>
    static abstract float* Table { get; }

    /// <summary>Works out what the elements of a block share.</summary>
    static abstract void Prepare(byte* block, float* scales);

    /// <summary>One vector of elements.</summary>
    /// <param name="block">The block.</param>
    /// <param name="run">Which run of it.</param>
    /// <param name="first">The vector's first element in the run.</param>
    /// <param name="scales">What <see cref="Prepare"/> wrote.</param>
    /// <param name="table"><see cref="Table"/>.</param>
    static abstract TLanes Load<TLanes>(byte* block, int run, int first, float* scales, float* table)
        where TLanes : struct, IBlockLanes<TLanes>;
}
