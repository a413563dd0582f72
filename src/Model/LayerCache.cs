using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>The keys and values of one layer for all tokens read so far: S sequences of up to L tokens.</summary>
/// <param name="Keys">[S·L, K·d], rotated by position.</param>
/// <param name="Values">[S·L, K·d].</param>
public sealed record LayerCache(Tensor Keys, Tensor Values);
