using SafeLlama.Data;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>The settings of Booster; the defaults are its authors'.</summary>
/// <param name="Lambda">λ: how much the gain of a harmful step counts.</param>
/// <param name="Alpha">α: the length of the harmful step.</param>
public sealed record BoosterSettings(double Lambda = 5, double Alpha = 0.1);

/// <summary>Booster: the loss of a step's rows, and how much one step on harmful rows would gain.</summary>
/// <remarks>
/// <code>
/// min_w  f(w) + λ · (h(w) − h(w − α · ∇h(w) / ‖∇h(w)‖))
/// gradient  ∇f(w) + λ · (∇h(w) − ∇h(w − α · ∇h(w) / ‖∇h(w)‖))
/// </code>
/// h is the mean loss over harmful rows. The gradient leaves out the second derivative, as its authors do. Two more
/// forward and backward passes a step, and room for the weights and two gradients on the host. The loss that a run
/// reports is f. Huang et al. 2024, arXiv:2409.01586.
/// </remarks>
/// <param name="harmful">The harmful rows of a step, from 0.</param>
/// <param name="microBatch">Rows that pass through the model at once.</param>
public sealed class Booster(
    BoosterSettings settings, Func<int, IReadOnlyList<TokenizedExample>> harmful, int microBatch) : StepTerm
{
    private double[][] _term = [];

    /// <summary>The bytes of the weights and two gradients on the host, in fp64.</summary>
    public static long BytesFor(IEnumerable<Parameter> parameters) =>
        3 * sizeof(double) * parameters.Sum(p => p.Value.Shape.Count);

    /// <summary>Booster over the harmful rows of a run.</summary>
    public static Booster Of(BoosterSettings settings, TrainingData data, TrainingConfig config)
    {
        var sampler = new EpochSampler(data.Harmful.Count, config.BatchSize, config.Seed);
        return new(settings, step => [.. sampler.Step(step).Select(i => data.Harmful[i])], config.MicroBatch);
    }

    public override void Begin(Trainer trainer)
    {
        var batches = BatchPacker.Step(harmful(trainer.StepsDone), microBatch);
        var parameters = trainer.Model.Parameters;
        double[][] values = [.. parameters.Select(p => p.Value.ReadDoubles())];
        var here = trainer.Gradient(batches);
        var norm = Math.Sqrt(here.Sum(g => g.Sum(x => x * x)));
        if (norm == 0 || !double.IsFinite(norm))
        {
            // The step reports what is not finite; no gradient has no direction.
            _term = [.. here.Select(g => norm == 0 ? new double[g.Length] : g)];
            return;
        }

        Write(i => [.. values[i].Zip(here[i], (w, g) => w - (settings.Alpha * g / norm))]);
        var there = trainer.Gradient(batches);
        Write(i => values[i]);
        _term = [.. here.Zip(there, (g, t) => (double[])[.. g.Zip(t, (x, y) => settings.Lambda * (x - y))])];

        void Write(Func<int, double[]> value)
        {
            for (var i = 0; i < parameters.Count; i++)
            {
                parameters[i].Value.Write(value(i));
            }
        }
    }

    public override void AddTo(IReadOnlyList<Parameter> parameters)
    {
        for (var i = 0; i < parameters.Count; i++)
        {
            Add(parameters[i], _term[i]);
        }
    }
}
