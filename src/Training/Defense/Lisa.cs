using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>The settings of Lisa; the defaults are its authors'.</summary>
/// <param name="Rho">ρ: how strongly a state is held near where the other ended.</param>
/// <param name="AlignmentSteps">Steps on safety rows, before the others' turn.</param>
/// <param name="TuningSteps">Steps on the other rows.</param>
public sealed record LisaSettings(double Rho = 1, int AlignmentSteps = 100, int TuningSteps = 900)
{
    /// <summary>Whether a step, from 0, is one on safety rows.</summary>
    public bool IsAlignment(int step) => step % (AlignmentSteps + TuningSteps) < AlignmentSteps;

    /// <summary>Whether a step is the first of its state's turn.</summary>
    public bool BeginsTurn(int step) => step % (AlignmentSteps + TuningSteps) is var at
        && (at == 0 || at == AlignmentSteps);

    /// <summary>
    /// The batch of a step within its own rows. Batches of safety rows are taken in turn; one of other rows is drawn at
    /// every step and dropped at a step on safety rows, as the authors' code does.
    /// </summary>
    public int BatchOf(int step) => !IsAlignment(step) ? step
        : (step / (AlignmentSteps + TuningSteps) * AlignmentSteps) + (step % (AlignmentSteps + TuningSteps));
}

/// <summary>Lisa: two states take turns, and each is held near the weights at which the other ended.</summary>
/// <remarks>
/// <code>loss = loss of the state's rows + ρ/2 · ‖w − anchor‖²</code>
/// The anchor is the weights when the state's turn began, which is where the other ended. The term is left out in the
/// first tenth of the steps, as in the authors' code; the loss that a run reports is without it. Huang et al. 2024,
/// arXiv:2405.18641.
/// </remarks>
public sealed class Lisa : StepTerm
{
    /// <summary>The share of the steps before the pull begins.</summary>
    private const double Free = 0.1;

    private readonly LisaSettings _settings;
    private readonly int _totalSteps;
    private readonly Arena _arena;
    private readonly Tensor[] _anchor;
    private readonly IReadOnlyList<Parameter> _parameters;
    private readonly Func<int, bool, IReadOnlyList<TokenizedExample>> _rows;
    private int _step;

    /// <param name="parameters">What learns.</param>
    /// <param name="rows">The rows of a batch, by its number and whether they are safety rows.</param>
    public Lisa(
        IBackend backend, LisaSettings settings, int totalSteps, IReadOnlyList<Parameter> parameters,
        Func<int, bool, IReadOnlyList<TokenizedExample>> rows)
    {
        (_settings, _totalSteps, _parameters, _rows) = (settings, totalSteps, parameters, rows);
        _arena = new Arena(backend, "Lisa's other state");
        _anchor = [.. parameters.Select(p => _arena.Take(p.Value.Shape, p.Value.Type, $"anchor {p.Name}"))];
        _arena.Commit();
    }

    public override IEnumerable<(string Name, Tensor Tensor)> State =>
        _parameters.Zip(_anchor, (p, anchor) => ($"anchor {p.Name}", anchor));

    /// <summary>The bytes of the other state.</summary>
    public static long BytesFor(IEnumerable<Parameter> parameters) => parameters.Sum(p => p.Value.ByteCount);

    /// <summary>Lisa over the rows of a run, in an order of their own for each state.</summary>
    /// <exception cref="SafeLlamaException">One state would have no rows.</exception>
    public static Lisa Of(
        Llama model, LisaSettings settings, TrainingData data, TrainingConfig config, int totalSteps)
    {
        var split = data.Training.ToLookup(row => data.SafetyIds.Contains(row.Id));
        if (!split[true].Any() || !split[false].Any())
        {
            throw new SafeLlamaException(
                ExitCode.InvalidData,
                $"Lisa takes turns between safety rows and others; there are {split[true].Count()} and "
                + $"{split[false].Count()} to learn.",
                null, "name demonstrations with `Safety`");
        }

        TokenizedExample[] safety = [.. split[true]], other = [.. split[false]];
        var samplers = (
            Safety: new EpochSampler(safety.Length, config.BatchSize, config.Seed),
            Other: new EpochSampler(other.Length, config.BatchSize, config.Seed));
        return new(model.Backend, settings, totalSteps, model.Parameters, (batch, aligns) => aligns
            ? [.. samplers.Safety.Step(batch).Select(i => safety[i])]
            : [.. samplers.Other.Step(batch).Select(i => other[i])]);
    }

    public override IReadOnlyList<TokenizedExample> Rows(int step) =>
        _rows(_settings.BatchOf(step), _settings.IsAlignment(step));

    public override void Begin(Trainer trainer) => Begin(trainer.StepsDone);

    /// <summary>Keeps the weights where a turn begins.</summary>
    /// <param name="step">From 0.</param>
    public void Begin(int step)
    {
        _step = step;
        if (_settings.BeginsTurn(step))
        {
            foreach (var (parameter, anchor) in _parameters.Zip(_anchor))
            {
                anchor.Write(parameter.Value.ReadDoubles());
            }
        }
    }

    /// <summary>ρ/2 · ‖w − anchor‖², 0 where it is left out.</summary>
    public double Value() => _settings.Rho / 2 * _parameters.Zip(_anchor)
        .Sum(pair => Pull(pair.First, pair.Second).Sum(d => d * d));

    public override void AddTo(IReadOnlyList<Parameter> parameters)
    {
        foreach (var (parameter, anchor) in parameters.Zip(_anchor))
        {
            Add(parameter, Array.ConvertAll(Pull(parameter, anchor), d => _settings.Rho * d));
        }
    }

    public override void Dispose()
    {
        _arena.Dispose();
        base.Dispose();
    }

    private double[] Pull(Parameter parameter, Tensor anchor) => _step <= Free * _totalSteps
        ? new double[parameter.Value.Shape.Count]
        : [.. parameter.Value.ReadDoubles().Zip(anchor.ReadDoubles(), (w, a) => w - a)];
}
