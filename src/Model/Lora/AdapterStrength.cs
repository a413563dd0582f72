using SafeLlama.Common;
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

    /// <summary>What is on; null for the whole adapter.</summary>
    public AdapterSubset? Part { get; private set; }

    /// <param name="strength">0 for the base model, 1 for what was trained.</param>
    /// <param name="part">What of the adapter is on; null for all of it.</param>
    /// <exception cref="SafeLlamaException">A rank is cut of a variant that has none to cut; nothing has changed
    /// then.</exception>
    public void Set(double strength, AdapterSubset? part = null)
    {
        var all = _pairs.ConvertAll(
            p => (p.Pair, Values: part?.Rank is { } rank ? p.Pair.Truncated(p.Trained, rank) : p.Trained));
        foreach (var (pair, values) in all)
        {
            var own = part?.Holds(pair.Module) == false ? 0 : strength;
            pair.SetStrength(_ops, values, own, _weights[pair.Module + ".weight"].Value);
            if (own == 1)
            {
                foreach (var (parameter, value) in pair.Parameters.Zip(values))
                {
                    parameter.Value.Write(value);
                }
            }
        }

        (Value, Part) = (strength, part);
    }
}
