namespace SafeLlama.Kernels;

/// <summary>What attention reads.</summary>
/// <param name="Q">[N, H·d].</param>
/// <param name="K">[M, K·d]; M = N in training, the cache's rows in generation.</param>
/// <param name="V">[M, K·d].</param>
/// <param name="FirstKey">[N] Int32, the first row of k that a query sees.</param>
/// <param name="LastKey">[N] Int32, the last one, not before the first.</param>
/// <param name="HeadDim">d.</param>
/// <param name="Scale">1 / √d as a rule.</param>
public readonly record struct AttentionInput(
    Tensor Q, Tensor K, Tensor V, Tensor FirstKey, Tensor LastKey, int HeadDim, double Scale);

/// <summary>Where the gradients of <see cref="AttentionInput"/> go, overwritten.</summary>
/// <param name="Q">[N, H·d].</param>
/// <param name="K">[M, K·d].</param>
/// <param name="V">[M, K·d].</param>
public readonly record struct AttentionGradients(Tensor Q, Tensor K, Tensor V);
