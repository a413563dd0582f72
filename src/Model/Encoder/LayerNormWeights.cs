using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>A layer norm of an encoder with its scale and shift.</summary>
internal sealed class LayerNormWeights(IBackend ops, EncoderWeights weights, string module)
{
    private readonly Weight _scale = weights[module + ".weight"];
    private readonly Weight _shift = weights[module + ".bias"];
    private readonly double _epsilon = weights.Config.LayerNormEpsilon;

    public void Forward(Tensor x, NormStatistics kept, Tensor y) =>
        ops.LayerNorm.Forward(x, _scale.Value, _shift.Value, _epsilon, y, kept.Mean, kept.Rstd);

    /// <param name="dx">Overwritten.</param>
    public void Backward(Tensor dy, Tensor x, NormStatistics kept, Tensor dx)
    {
        dx.Clear();
        ops.LayerNorm.Backward(dy, x, _scale.Value, kept.Mean, kept.Rstd, dx, _scale.Gradient, _shift.Gradient);
    }
}
