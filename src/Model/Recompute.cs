using System.Text.Json.Serialization;

namespace SafeLlama.Model;

/// <summary>What backward recomputes instead of keeping it from forward.</summary>
public enum Recompute
{
    /// <summary>Nothing: every block keeps what its backward needs.</summary>
    [JsonStringEnumMemberName("none")]
    Nothing,

    /// <summary>
    /// Each block's forward, from its input, which alone is kept: memory for one block instead of all, for about a
    /// third more arithmetic. The gradients are the same to the last bit. Chen et al. 2016, arXiv:1604.06174.
    /// </summary>
    Block,
}
