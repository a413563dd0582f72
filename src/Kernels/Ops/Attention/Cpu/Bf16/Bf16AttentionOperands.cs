namespace SafeLlama.Kernels;

/// <summary>The tensors of one attention call that were kept in bf16; gradients are empty in forward.</summary>
internal readonly unsafe struct Bf16AttentionOperands
{
    public required Rows<ushort> Q { get; init; }

    public required Rows<ushort> K { get; init; }

    public required Rows<ushort> V { get; init; }

    public required Rows<ushort> Y { get; init; }

    /// <summary>What does not depend on how q, k, v and y are stored; these four are empty in it.</summary>
    public required AttentionOperands Rest { get; init; }

    /// <summary>All key heads, one behind the other: K copied where rows need it, else null.</summary>
    public nint KeyCopy { get; init; }

    /// <summary>All key heads, one behind the other: V packed.</summary>
    public nint PackedValues { get; init; }

    public int HeadDim => Rest.HeadDim;

    public int Heads => Q.Columns / HeadDim;

    public int KeyHeads => K.Columns / HeadDim;

    /// <summary>Query heads that share a key-value head.</summary>
    public int Group => Heads / KeyHeads;

    /// <summary>Rows of keys in whole fours.</summary>
    public static int PaddedKeys(int keys) => (keys + 3) / 4 * 4;
}
