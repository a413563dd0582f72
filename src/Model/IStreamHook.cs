using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>Reads the residual stream on its way through the blocks, or changes it.</summary>
/// <remarks>
/// The stream has one row per token of the pass. A hook is for inspection and attacks: a model that has one refuses
/// backward, since nobody knows the gradient of what the hook does.
/// </remarks>
public interface IStreamHook
{
    /// <summary>The stream before the norm of a block.</summary>
    /// <param name="layer">The block, from 0; the number of blocks for the stream after the last one.</param>
    /// <param name="stream">[N, D].</param>
    void BeforeBlock(int layer, Tensor stream);

    /// <summary>The stream between a block's attention and its feed-forward.</summary>
    /// <param name="layer">The block, from 0.</param>
    /// <param name="stream">[N, D].</param>
    void AfterAttention(int layer, Tensor stream)
    {
    }
}
