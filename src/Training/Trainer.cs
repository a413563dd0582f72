using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Distributed;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>The settings of all steps.</summary>
/// <param name="Schedule">The learning rate of every step.</param>
public sealed record TrainerSettings(LearningRateSchedule Schedule)
{
    public AdamWSettings Optimizer { get; init; } = new();

    /// <summary>The global gradient norm is clipped to this; 0 does not clip.</summary>
    public double MaxGradientNorm { get; init; } = 1;

    public LossNormalization Divisor { get; init; } = LossNormalization.Targets;

    /// <summary>What a step minimizes; the likelihood of targets, over the divisor, where not given.</summary>
    public StepObjective? Objective { get; init; }

    /// <summary>What a defense adds to a step; null for nothing. It outlives the trainer.</summary>
    public StepTerm? Term { get; init; }

    /// <summary>NEFTune's α; 0 adds no noise.</summary>
    public double NeftuneAlpha { get; init; }

    /// <summary>Seeds dropout and NEFTune's noise.</summary>
    public long Seed { get; init; } = 1;
}

/// <summary>Runs optimizer steps: forward, loss, backward, sum, clip, update.</summary>
/// <remarks>
/// The host does not wait for the device: it queues a step while the previous one may still run, and reads the previous
/// report between <see cref="Accumulate"/> and <see cref="SumGradients"/>, so a step that is not finite is found before
/// the next update. Validation, checkpoints and logging are in the loop around it, <see cref="TrainingRun"/>.
/// </remarks>
public sealed class Trainer : IDisposable
{
    private readonly Llama _model;
    private readonly Workspace _workspace;
    private readonly TrainerSettings _settings;
    private readonly StepObjective _objective;
    private readonly Parameter[] _parameters;
    private readonly AdamWOptimizer _optimizer;
    private readonly GradientClipping _clipping;
    private readonly GradientTree _gradients;
    private readonly Philox _dropout;
    private readonly Philox _noise;
    private readonly Arena _scratch;
    private QueuedStep _current;
    private QueuedStep _before;

    /// <param name="model">The model whose adapter or weights are trained.</param>
    /// <param name="workspace">Memory for the longest micro-batch, backward included.</param>
    /// <param name="maxMicroBatches">The most micro-batches of a step.</param>
    /// <param name="ranks">The processes that share the micro-batches; this one alone where not given.</param>
    public Trainer(
        Llama model, Workspace workspace, TrainerSettings settings, int maxMicroBatches, ICommunicator? ranks = null)
    {
        (_model, _workspace, _settings, _parameters) = (model, workspace, settings, [.. model.Parameters]);
        _objective = settings.Objective ?? new TokenObjective(settings.Divisor);
        _optimizer = new AdamWOptimizer(model.Backend, _parameters, settings.Optimizer);
        _clipping = new GradientClipping(model.Backend, settings.MaxGradientNorm);
        _gradients = new GradientTree(
            model.Backend, _parameters, maxMicroBatches, ranks ?? SingleProcess.Instance);
        _dropout = Philox.Stream(settings.Seed, "dropout");
        _noise = Philox.Stream(settings.Seed, "neftune");
        _current = new QueuedStep(model.Backend, maxMicroBatches);
        _before = new QueuedStep(model.Backend, maxMicroBatches);
        _scratch = new Arena(model.Backend, "scratch total");
        ScratchTotal = _scratch.Take(new(1), DType.Float64, "scratch_total");
        _scratch.Commit();
    }

    public Llama Model => _model;

    /// <summary>
    /// Optimizer steps done. A resumed run sets this and the moments to their values at the checkpoint.
    /// </summary>
    public int StepsDone { get; set; }

    /// <summary>Whether the report of the last step is here, so that <see cref="Report"/> would not wait.</summary>
    public bool IsReportReady => _current.IsReady;

    internal StepObjective Objective => _objective;

    internal Workspace Workspace => _workspace;

    /// <summary>[1] Float64, for a sum outside a step.</summary>
    internal Tensor ScratchTotal { get; }

    /// <summary>The optimizer's moments of every parameter.</summary>
    public IReadOnlyList<Moments> Moments => _optimizer.Moments;

    /// <summary>Trains on one batch and waits for its report.</summary>
    public StepReport Step(IReadOnlyList<PackedBatch> microBatches)
    {
        Accumulate(microBatches);
        SumGradients(stop: false);
        Update();
        return Report();
    }

    /// <summary>Whether any rank asked all to stop, at the last <see cref="SumGradients"/>.</summary>
    public bool StopIsAsked => _gradients.StopIsAsked;

    /// <summary>Queues the first part of a step: this rank's share of a batch's micro-batches.</summary>
    public void Accumulate(IReadOnlyList<PackedBatch> microBatches)
    {
        (_current, _before) = (_before, _current);
        _settings.Term?.Begin(this);
        var scales = _objective.Scales(microBatches);            // known on the host: no need to ask the device
        _current.Begin(StepsDone + 1, _settings.Schedule.At(StepsDone), microBatches, scales);
        _objective.Begin(_model, _workspace, microBatches);
        _gradients.Begin(microBatches.Count);
        var (first, end) = _gradients.Share(microBatches.Count);
        for (var m = first; m < end; m++)
        {
            ClearGradients();
            var pass = Upload(microBatches[m], m);               // tokens, targets, positions: [N]
            _model.Forward(pass);                                // → the residual stream [N, D]
            _objective.Loss(_model, pass, microBatches[m], scales[m], _current.Loss(m));   // and ∂loss/∂stream
            _model.Backward(pass);                               // the gradient of everything that learns
            _gradients.Add(m);                                   // a leaf of the tree of sums
        }

        _current.Preference = _objective.Metrics();
    }

    /// <summary>Queues the second part: the sum over all micro-batches, on all ranks the same.</summary>
    /// <param name="stop">Whether this rank asks all to stop after the step.</param>
    public void SumGradients(bool stop) => _gradients.Sum(_current.Totals, stop);

    /// <summary>Queues the third part: clips the gradients and moves every parameter.</summary>
    public void Update()
    {
        StepsDone = _current.Step;
        _settings.Term?.AddTo(_parameters);
        _clipping.Measure(_parameters, _current.NormSquared);    // stays on the device
        _optimizer.Update(StepsDone, _current.LearningRate, _clipping.MaxNorm, _current.NormSquared);
        _current.End();                                          // AdamW did nothing if the norm was not finite
    }

    /// <summary>The report of the last step; waits for it.</summary>
    public StepReport Report() => _current.Report();

    /// <summary>
    /// The report of the previous step while the next one accumulates; waits only for the previous step.
    /// </summary>
    public StepReport ReportBefore() => _before.Report();

    public void Dispose()
    {
        _gradients.Dispose();
        _optimizer.Dispose();
        _current.Dispose();
        _before.Dispose();
        _scratch.Dispose();
    }

    /// <summary>What a defense of this trainer wants kept in a checkpoint.</summary>
    internal IEnumerable<(string Name, Tensor Tensor)> TermState => _settings.Term?.State ?? [];

    /// <summary>The gradient of the mean loss of some rows' targets where the parameters are now, apart from any
    /// step's.</summary>
    internal double[][] Gradient(IReadOnlyList<PackedBatch> microBatches)
    {
        var objective = new TokenObjective();
        var scales = objective.Scales(microBatches);
        ClearGradients();
        for (var m = 0; m < microBatches.Count; m++)
        {
            // Counted down from −1: no micro-batch of a step has this dropout.
            var pass = Upload(microBatches[m], -1 - m);
            _model.Forward(pass);
            objective.Loss(_model, pass, microBatches[m], scales[m], ScratchTotal);
            _model.Backward(pass);
        }

        return [.. _parameters.Select(parameter => parameter.Gradient.ReadDoubles())];
    }

    /// <summary>Sets every gradient to zero.</summary>
    internal void ClearGradients()
    {
        foreach (var parameter in _parameters)
        {
            parameter.Gradient.Clear();
        }
    }

    /// <summary>Copies a micro-batch to the device, with the dropout of its place in the run.</summary>
    internal Pass Upload(PackedBatch packed, int microBatch)
    {
        var pass = _workspace.For(packed.Length);
        pass.Batch.Upload(packed.Tokens, packed.Positions, packed.FirstKey, packed.Targets);
        pass.Batch.DropoutStream = _dropout.Fork(StepsDone).Fork(microBatch);
        if (_settings.NeftuneAlpha > 0)
        {
            pass.Batch.AddNoise(
                _noise.Fork(StepsDone).Fork(microBatch), _settings.NeftuneAlpha, _model.Config.HiddenSize,
                packed.FirstKey);
        }

        return pass;
    }
}
