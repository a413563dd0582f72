namespace SafeLlama.Kernels;

/// <summary>What the sums of a product meet before they are written.</summary>
/// <param name="Bias">[D_out], added to every row.</param>
/// <param name="Residual">[N, D_out] of y's type and not y itself, added.</param>
/// <param name="Gate">[N, D_out] of y's type; not together with a residual.</param>
/// <param name="Gated">[N, D_out] of y's type, written beside y: silu(gate) · y. Given where a gate is.</param>
public readonly record struct Epilogue(
    Tensor? Bias = null, Tensor? Residual = null, Tensor? Gate = null, Tensor? Gated = null)
{
    /// <summary>The same without the gate: y alone is written.</summary>
    public Epilogue Ungated => this with { Gate = null, Gated = null };
}
