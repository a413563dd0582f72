using SafeLlama.Data;
using SafeLlama.Kernels;

namespace SafeLlama.Training;

/// <summary>
/// A step that is queued and not yet reported: its data on the host, and totals that the device will send.
/// </summary>
internal sealed class QueuedStep : IDisposable
{
    private readonly Arena _arena;
    private readonly Tensor _totals;
    private readonly Tensor[] _losses;
    private readonly Readback _readback;
    private IReadOnlyList<PackedBatch> _microBatches = [];
    private double[] _scales = [];

    /// <param name="maxMicroBatches">The most micro-batches of a step.</param>
    public QueuedStep(IBackend backend, int maxMicroBatches)
    {
        _arena = new Arena(backend, "step totals");
        _totals = _arena.Take(new(maxMicroBatches + 1), DType.Float64, "step_totals");
        _arena.Commit();
        _losses = [.. Enumerable.Range(0, maxMicroBatches).Select(m => _totals.SliceVector(m, 1))];
        NormSquared = _totals.SliceVector(maxMicroBatches, 1);
        _readback = backend.ReadLater(_totals);
    }

    /// <summary>[1] Float64: the squared norm of all gradients.</summary>
    public Tensor NormSquared { get; }

    /// <summary>Whether <see cref="Report"/> would return at once.</summary>
    public bool IsReady => _readback.IsReady;

    /// <summary>η of the update.</summary>
    public double LearningRate { get; private set; }

    /// <summary>Steps done, this one included.</summary>
    public int Step { get; private set; }

    /// <summary>What the step did to preferences.</summary>
    public PreferenceMetrics? Preference { get; set; }

    /// <summary>[1] Float64: the summed loss of a micro-batch, not scaled.</summary>
    public Tensor Loss(int microBatch) => _losses[microBatch];

    /// <summary>[n + 1] Float64: the losses of all micro-batches, then <see cref="NormSquared"/>.</summary>
    public Tensor Totals => _totals;

    /// <summary>Sets the totals to zero.</summary>
    public void Begin(int step, double learningRate, IReadOnlyList<PackedBatch> microBatches, double[] scales)
    {
        (Step, LearningRate, _microBatches, _scales) = (step, learningRate, microBatches, scales);
        _totals.Clear();
    }

    /// <summary>Queues the copy of the totals behind all work queued so far.</summary>
    public void End() => _readback.Begin();

    /// <summary>The report of the step; waits for the step and not for later work.</summary>
    public StepReport Report()
    {
        var totals = _readback.Wait();
        var losses = new double[_microBatches.Count];
        for (var m = 0; m < losses.Length; m++)
        {
            losses[m] = totals[m] * _scales[m];
        }

        return new StepReport(
            Step,
            losses.Sum(),
            losses,
            Math.Sqrt(totals[^1]),
            LearningRate,
            _microBatches.Sum(b => b.TargetCount),
            _microBatches.Sum(b => b.Length))
        {
            Preference = Preference,
        };
    }

    public void Dispose()
    {
        _readback.Dispose();
        _arena.Dispose();
    }
}
