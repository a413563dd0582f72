using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>Turns a loaded adapter down, up or off, and back to what was trained.</summary>
/// <remarks>
/// Of plain LoRA, strength c makes W + c · s · B A; of DoRA, B and the magnitudes' distance from ‖W‖ are turned alike.
/// At 1 the values are those that were loaded, bit by bit.
/// </remarks>
public sealed class AdapterStrength
{
    private readonly IBackend _ops;
    private readonly LlamaWeights _weights;
    private readonly List<(LoraFactors Pair, double[][] Trained)> _pairs;

    /// <param name="adapter">As it was trained; it must not learn while this turns it.</param>
    public AdapterStrength(IBackend ops, LlamaWeights weights, LoraAdapter adapter)
    {
        (_ops, _weights) = (ops, weights);
        _pairs =
        [
            .. adapter.Pairs.Select(
                pair => (pair, pair.Parameters.Select(p => p.Value.ReadDoubles()).ToArray())),
        ];
    }

    /// <summary>0 is the base model, 1 the adapter as it was trained.</summary>
    public double Value { get; private set; } = 1;

    public void Set(double strength)
    {
        foreach (var (pair, trained) in _pairs)
        {
            pair.SetStrength(_ops, trained, strength, _weights[pair.Module + ".weight"].Value);
            if (strength == 1)
            {
                foreach (var (parameter, values) in pair.Parameters.Zip(trained))
                {
                    parameter.Value.Write(values);
                }
            }
        }

        Value = strength;
    }
}
