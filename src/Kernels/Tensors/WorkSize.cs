namespace SafeLlama.Kernels;

/// <summary>The largest sizes that ops handle at once, which decide a backend's scratch memory.</summary>
/// <param name="Rows">Rows of a pass.</param>
/// <param name="Longest">Rows of the longest sequence, so the most keys that a row sees.</param>
/// <param name="Columns">Columns of the widest activation, logits apart.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="KeyHeads">Key-value heads.</param>
/// <param name="HeadDim">Columns of a head.</param>
/// <param name="Rank">Of the largest adapter; 0 where there is none.</param>
/// <param name="Drops">Whether adapters drop some of their inputs.</param>
public readonly record struct WorkSize(
    int Rows, int Longest, int Columns, int Heads, int KeyHeads, int HeadDim, int Rank, bool Drops)
{
    /// <summary>Rows of the table of distances of <see cref="DisentangledAttention"/>; 0 without it.</summary>
    public int Distances { get; init; }

    /// <summary>Rows and columns of a chunk of logits; none without a head over tokens.</summary>
    public (int Rows, int Columns) Logits { get; init; }

    /// <summary>Whether the weight behind the logits learns: its gradient reads theirs by columns.</summary>
    public bool LearnsHead { get; init; }

    /// <summary>Whether activations are quantized where they meet a weight (<see cref="Int8Format"/>).</summary>
    public bool QuantizesActivations { get; init; }
}
