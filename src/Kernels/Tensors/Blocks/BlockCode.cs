namespace SafeLlama.Kernels;

/// <summary>Layouts of blocks that kernels read without decoding them to memory first.</summary>
public enum BlockCode
{
    /// <summary>Any other: rows are decoded by <see cref="WeightFormat.Decode"/>.</summary>
    Other,

    /// <summary>GGUF's Q8_0: a finite fp16 scale and 32 signed bytes.</summary>
    Q8,

    /// <summary>GGUF's Q4_0: an fp16 scale and 32 values of four bits around 8.</summary>
    Q4,

    /// <summary>GGUF's Q4_K: 256 values of four bits, a scale and a minimum for each 32.</summary>
    Q4K,

    /// <summary>GGUF's Q6_K: 256 values of six bits around 32, a scale for each 16.</summary>
    Q6K,

    /// <summary><see cref="Nf4Format"/> with blocks of 64.</summary>
    Nf4,

    /// <summary><see cref="Int8Format"/>.</summary>
    Int8,
}
