using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>The constants of AdamW; the defaults are PyTorch's.</summary>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root of the second moment.</param>
/// <param name="WeightDecay">λ; norms and biases do not decay.</param>
public sealed record AdamWSettings(
    double Beta1 = 0.9, double Beta2 = 0.999, double Epsilon = 1e-8, double WeightDecay = 0)
{
    /// <summary>
    /// LoRA+: every B, and DoRA's magnitudes, move at this many times the learning rate, their decay included; 1 does
    /// not. Hayou et al. 2024, arXiv:2402.12354.
    /// </summary>
    public double LoraPlusRatio { get; init; } = 1;
}

/// <summary>The running means of a parameter's gradient and squared gradient.</summary>
public sealed record Moments(Parameter Parameter, Tensor First, Tensor Second);

/// <summary>AdamW over every trained parameter, with two moments each.</summary>
public sealed class AdamWOptimizer : IDisposable
{
    private readonly AdamW _ops;
    private readonly AdamWSettings _settings;
    private readonly Arena _arena;
    private readonly Moments[] _moments;

    public AdamWOptimizer(IBackend backend, IReadOnlyList<Parameter> parameters, AdamWSettings settings)
    {
        (_ops, _settings) = (backend.AdamW, settings);
        _arena = new Arena(backend, "optimizer state");
        _moments = [.. parameters.Select(p => new Moments(
            p,
            _arena.Take(p.Value.Shape, p.Value.Type, $"m {p.Name}"),
            _arena.Take(p.Value.Shape, p.Value.Type, $"v {p.Name}")))];
        _arena.Commit();
    }

    /// <summary>In the order of the parameters.</summary>
    public IReadOnlyList<Moments> Moments => _moments;

    /// <summary>Moves every parameter; nothing changes when the norm is not finite.</summary>
    /// <param name="step">t, from 1.</param>
    /// <param name="maxNorm">Gradients of a larger global norm are scaled down to this; 0 does not clip.</param>
    /// <param name="normSquared">[1] Float64: the squared global norm, read on the device.</param>
    public void Update(int step, double learningRate, double maxNorm, Tensor normSquared)
    {
        foreach (var (parameter, first, second) in _moments)
        {
            var settings = new AdamWStep(
                parameter.IsFastUnderLoraPlus ? learningRate * _settings.LoraPlusRatio : learningRate,
                _settings.Beta1,
                _settings.Beta2,
                _settings.Epsilon,
                parameter.Decays ? _settings.WeightDecay : 0,
                step,
                maxNorm);
            _ops.Update(parameter.Value, parameter.Gradient, first, second, settings, normSquared);
        }
    }

    public void Dispose() => _arena.Dispose();
}
