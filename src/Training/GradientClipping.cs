using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>
/// Measures the global gradient norm on the device, where AdamW scales by it; the host need not read it.
/// </summary>
/// <remarks>
/// <code>norm = √(Σ over all parameters of Σ g²)        clip = min(1, maxNorm / (norm + 1e-6))</code>
/// Pascanu et al. 2012, arXiv:1211.5063; the small constant is PyTorch's.
/// </remarks>
/// <param name="backend">Where the gradients are.</param>
/// <param name="maxNorm">Larger norms are scaled down to this; 0 does not clip.</param>
public sealed class GradientClipping(IBackend backend, double maxNorm)
{
    public double MaxNorm => maxNorm;

    /// <summary>Sums the squares of every gradient, in the order of the parameters.</summary>
    /// <param name="normSquared">[1] Float64, overwritten.</param>
    public void Measure(IReadOnlyList<Parameter> parameters, Tensor normSquared)
    {
        normSquared.Clear();
        for (var i = 0; i < parameters.Count; i++)
        {
            backend.Elementwise.SumOfSquares(parameters[i].Gradient, normSquared);
        }
    }
}
