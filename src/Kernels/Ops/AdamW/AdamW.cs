namespace SafeLlama.Kernels;

/// <summary>What one AdamW step is told.</summary>
/// <param name="LearningRate">η.</param>
/// <param name="Beta1">Decay of the first moment, 0.9 as a rule.</param>
/// <param name="Beta2">Decay of the second moment, 0.999 as a rule.</param>
/// <param name="Epsilon">Added to the root of the second moment.</param>
/// <param name="WeightDecay">λ, decoupled from the gradient.</param>
/// <param name="Step">t, from 1.</param>
/// <param name="MaxNorm">The global gradient norm is clipped to this; 0 does not clip.</param>
public readonly record struct AdamWStep(
    double LearningRate, double Beta1, double Beta2, double Epsilon, double WeightDecay, int Step, double MaxNorm);

/// <summary>Adam with decoupled weight decay, clipping by the global norm.</summary>
/// <remarks>
/// <code>
/// clip   = min(1, maxNorm / (norm + 1e-6))          norm = √normSquared, over every parameter's gradient
/// g      = clip · gradient
/// value  = value − η λ value
/// m      = β₁ m + (1 − β₁) g                        v = β₂ v + (1 − β₂) g²
/// value  = value − η · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)
/// </code>
/// When the norm is not finite nothing changes: the parameters stay at the last good step. Loshchilov and Hutter 2017,
/// arXiv:1711.05101; clipping as PyTorch's <c>clip_grad_norm_</c>.
/// </remarks>
public abstract class AdamW : Op
{
    /// <param name="value">The parameter, any shape, updated.</param>
    /// <param name="gradient">Its gradient, before clipping.</param>
    /// <param name="m">First moment, updated.</param>
    /// <param name="v">Second moment, updated.</param>
    /// <param name="step">The settings of this step.</param>
    /// <param name="normSquared">[1] Float64, the global norm squared; it never leaves the device.</param>
    public void Update(Tensor value, Tensor gradient, Tensor m, Tensor v, in AdamWStep step, Tensor normSquared)
    {
        gradient.RequireShape(value.Shape, "one gradient per element of the parameter");
        m.RequireShape(value.Shape, "one first moment per element of the parameter");
        v.RequireShape(value.Shape, "one second moment per element of the parameter");
        normSquared.RequireShape(new(1), "the norm is one number");
        Observer?.Started();
        UpdateCore(value, gradient, m, v, step, normSquared);
        value.Written();
        Observer?.Finished(new("AdamW", 0, Bytes(value, value, gradient, m, m, v, v)));
    }

    protected abstract void UpdateCore(
        Tensor value, Tensor gradient, Tensor m, Tensor v, in AdamWStep step, Tensor normSquared);

    /// <summary>
    /// The factor on every gradient for a global norm; NaN or infinity where the step must be skipped.
    /// </summary>
    protected static double ClipFactor(double normSquared, double maxNorm) =>
        !double.IsFinite(normSquared) ? double.NaN
        : maxNorm <= 0 ? 1
        : Math.Min(1, maxNorm / (Math.Sqrt(normSquared) + 1e-6));
}
