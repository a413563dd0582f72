using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Distributed;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>What the defenses of a run change in its steps: the objective, or a term beside it.</summary>
internal sealed class RunDefense : IDisposable
{
    private readonly ConstrainedObjective? _constrained;

    private RunDefense(ConstrainedObjective? constrained, StepTerm? term) => (_constrained, Term) = (constrained, term);

    /// <summary>Null for that of the run.</summary>
    public StepObjective? Objective => _constrained;

    /// <summary>Null for none.</summary>
    public StepTerm? Term { get; }

    /// <exception cref="SafeLlamaException">A defense lacks its rows.</exception>
    public static RunDefense Of(Llama model, TrainingConfig config, TrainingData data, int totalSteps) => new(
        config.Defense?.Constrained is { } constrained
            ? new ConstrainedObjective(constrained, config.LossDivisor) : null,
        config.Defense switch
        {
            { Lisa: { } lisa } => Lisa.Of(model, lisa, data, config, totalSteps),
            { Booster: { } booster } => Booster.Of(booster, data, config),
            _ => null,
        });

    /// <summary>A loss or a term that looks at more than a micro-batch is computed by one process alone.</summary>
    /// <exception cref="SafeLlamaException">Several ranks would share the work.</exception>
    public static void RequireOneProcess(DefenseSettings? defense, ICommunicator ranks)
    {
        if (ranks.Size > 1 && defense is not null)
        {
            throw SafeLlamaException.Usage(
                $"{ranks.Size} ranks: a run with `Defense` "
                + $"{string.Join(", ", defense.Names().Select(name => SettingText.Of(name)))} is trained by one "
                + "process alone.", "start it without ranks");
        }
    }

    /// <summary>Reads the reference that a run stored, or asks the model as it begins; false where the run was asked
    /// to stop meanwhile.</summary>
    /// <param name="isNew">Whether no step was taken yet.</param>
    public bool Refer(
        string folder, bool isNew, Llama model, Workspace workspace, IReadOnlyList<TokenizedExample> rows,
        CancellationToken stop)
    {
        if (_constrained is null)
        {
            return true;
        }

        try
        {
            _constrained.Reference = TokenReference.Load(folder, isNew, model, workspace, rows, stop);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    public void Dispose() => Term?.Dispose();
}
