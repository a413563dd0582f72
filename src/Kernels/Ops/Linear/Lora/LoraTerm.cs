namespace SafeLlama.Kernels;

/// <summary>A low-rank update of a product, s · drop(x) Aᵀ Bᵀ.</summary>
/// <param name="A">[r, D_in].</param>
/// <param name="B">[D_out, r].</param>
/// <param name="Scale">s = α / r, or α / √r for rsLoRA.</param>
/// <param name="Dropout">Applied to x, for this term alone.</param>
/// <param name="U">[N, r], drop(x) Aᵀ: written by forward, read by backward.</param>
public readonly record struct LoraTerm(Tensor A, Tensor B, double Scale, Dropout Dropout, Tensor U);

/// <summary>Where the gradients of a <see cref="LoraTerm"/> go.</summary>
/// <param name="U">[N, r] scratch, overwritten.</param>
/// <param name="A">[r, D_in], added to.</param>
/// <param name="B">[D_out, r], added to.</param>
public readonly record struct LoraGradients(Tensor U, Tensor A, Tensor B);
