using System.Runtime.InteropServices;
using SafeLlama.Data;
using SafeLlama.Distributed;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>Losses on held-out rows: in nats per target token, or of preferences per example.</summary>
/// <param name="Step">Steps done when it was measured.</param>
/// <param name="Loss">Over all held-out rows; it decides which checkpoint is the best.</param>
/// <param name="General">Over ordinary rows; null where none are held out.</param>
/// <param name="Safety">Over safety demonstrations; null where none are held out.</param>
public sealed record ValidationReport(int Step, double Loss, double? General, double? Safety)
{
    /// <summary>How preferences stand; null where none are learned.</summary>
    public PreferenceMetrics? Preference { get; init; }
}

/// <summary>Measures the loss on held-out rows, without dropout and without a backward pass.</summary>
public sealed class Validator : IDisposable
{
    private readonly Llama _model;
    private readonly Workspace _workspace;
    private readonly StepObjective _objective;
    private readonly Arena _arena;
    private readonly Tensor _total;
    private readonly ICommunicator _ranks;
    private readonly IReadOnlyList<PackedBatch> _general;
    private readonly IReadOnlyList<PackedBatch> _safety;

    /// <param name="workspace">The trainer's: one pass at a time uses it.</param>
    /// <param name="microBatch">Examples that pass through the model at once.</param>
    /// <param name="ranks">The processes that share the rows; this one alone where not given.</param>
    /// <param name="objective">What training minimizes; the likelihood of targets where not given.</param>
    public Validator(
        Llama model, Workspace workspace, TrainingData data, int microBatch, ICommunicator? ranks = null,
        StepObjective? objective = null)
    {
        (_model, _workspace, _ranks) = (model, workspace, ranks ?? SingleProcess.Instance);
        _objective = objective ?? new TokenObjective();
        (_general, _safety) = (BatchPacker.Step(data.General, microBatch), BatchPacker.Step(data.Safety, microBatch));
        _arena = new Arena(model.Backend, "validation loss");
        _total = _arena.Take(new(1), DType.Float64, "validation_loss");
        _arena.Commit();
    }

    public ValidationReport Measure(int step)
    {
        _objective.Begin(_model, _workspace, [.. _general, .. _safety]);
        var (general, safety) = (Sum(_general), Sum(_safety));
        return new ValidationReport(
            step, Mean(general.Loss + safety.Loss, general.Count + safety.Count) ?? double.NaN,
            Mean(general.Loss, general.Count), Mean(safety.Loss, safety.Count))
        {
            Preference = _objective.Metrics(),
        };
    }

    public void Dispose() => _arena.Dispose();

    private static double? Mean(double sum, int count) => count == 0 ? null : sum / count;

    /// <summary>The losses of batches are added in their order, whichever ranks have measured them.</summary>
    private (double Loss, int Count) Sum(IReadOnlyList<PackedBatch> batches)
    {
        var losses = new double[batches.Count];
        for (var b = _ranks.Rank; b < batches.Count; b += _ranks.Size)
        {
            losses[b] = LossOf(batches[b]);
        }

        Exchange(losses);
        return (losses.Sum(), batches.Sum(_objective.Count));
    }

    private double LossOf(PackedBatch packed)
    {
        _total.Clear();
        var pass = _workspace.For(packed.Length) with { Scratch = null };
        pass.Batch.Upload(packed.Tokens, packed.Positions, packed.FirstKey, packed.Targets);
        pass.Batch.DropoutStream = null;
        _model.Forward(pass);
        _objective.Loss(_model, pass, packed, 1, _total);
        return _total.ReadDoubles()[0];
    }

    /// <summary>Batch b is measured by rank b mod N; afterwards every rank has all.</summary>
    private void Exchange(double[] losses)
    {
        var bytes = MemoryMarshal.AsBytes(losses.AsSpan());
        var all = _ranks.Gather(bytes.ToArray());
        for (var b = 0; b < losses.Length && _ranks.IsFirst(); b++)
        {
            losses[b] = MemoryMarshal.Cast<byte, double>(all[b % _ranks.Size])[b];
        }

        _ranks.Broadcast(bytes);
    }
}
