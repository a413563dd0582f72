namespace SafeLlama.Kernels;

/// <summary>A form of blocks in device memory, laid out as the <see cref="WeightFormat"/> of its name stores
/// it.</summary>
/// <remarks>
/// A kernel reads blocks as it reads elements, one number or eight neighbors, and decodes them in registers: a product
/// decodes while it fills its tiles. Eights begin at multiples of 8, and rows are whole blocks, so an eight is inside
/// its row or outside it; of int8, whose block is the row, half of one may be. What is outside is never used but as 0.
/// </remarks>
internal interface IGpuBlocks<TSelf> : IGpuStored<TSelf>
    where TSelf : unmanaged, IGpuBlocks<TSelf>;
