using System.Diagnostics;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Distributed;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>The loop around <see cref="Trainer.Step"/>: batches, validation, checkpoints, early stop, resume.</summary>
/// <remarks>
/// The best checkpoint has the lowest validation loss; of equal ones the earliest. Without held-out rows it is the
/// last. Several ranks share the micro-batches of a step and the rows of a validation; rank 0 alone reads and writes
/// the run's folder, and what it writes does not depend on their number.
/// </remarks>
public sealed class TrainingRun : IDisposable
{
    private readonly Llama _model;
    private readonly TrainingConfig _config;
    private readonly TrainingData _data;
    private readonly string _folder;
    private readonly string _baseModel;
    private readonly ITrainingView _view;
    private readonly ICommunicator _ranks;
    private readonly EpochSampler _sampler;
    private readonly CheckpointFolder _checkpoints;
    private readonly Workspace _workspace;
    private readonly Trainer _trainer;
    private readonly Validator _validator;
    private readonly int _totalSteps;
    private readonly PreferenceObjective? _preference;
    private readonly RunDefense _defense;
    private readonly LossTarget _target;
    private readonly Standstill _standstill = new();
    private BestStep? _best;
    private int _sinceBest;
    private double? _lastLoss;
    private double? _startLoss;
    private IReadOnlyList<PackedBatch>? _unreported;
    private long _begun;

    /// <param name="model">The model whose adapter or weights are trained.</param>
    /// <param name="folder">An existing folder for metrics and checkpoints.</param>
    /// <param name="baseModel">The base that the adapter's configuration names.</param>
    /// <param name="ranks">The processes that share the work; this one alone where not given.</param>
    public TrainingRun(Llama model, TrainingConfig config, TrainingData data, string folder, string baseModel,
        ITrainingView view, ICommunicator? ranks = null)
    {
        _ranks = ranks ?? SingleProcess.Instance;
        config.Validate();
        PreferenceObjective.RequireOneProcess(config.Preference is not null, _ranks);
        RunDefense.RequireOneProcess(config.Defense, _ranks);
        (_model, _config, _data, _folder, _baseModel, _view) = (model, config, data, folder, baseModel, view);
        foreach (var example in data.Everything)
        {
            model.CheckTokens(example.Tokens, example.Id);
        }

        _target = new(config.UntilLoss);
        _target.Check(data);
        _totalSteps = config.TotalSteps(data.Training.Count);
        var schedule = config.ScheduleOver(_totalSteps);
        schedule.Validate();
        _sampler = new EpochSampler(data.Training.Count, config.BatchSize, config.Seed);
        _checkpoints = new CheckpointFolder(folder);
        _workspace = new Workspace(
            model, TrainingMemory.MicroBatchRows(config, data), forBackward: true, config.Recompute);
        _preference = config.Preference is { } preference ? new PreferenceObjective(preference) : null;
        _defense = RunDefense.Of(model, config, data, _totalSteps);
        _trainer = new Trainer(model, _workspace, Settings(schedule), config.BatchSize / config.MicroBatch, _ranks);
        _validator = new Validator(model, _workspace, data, config.MicroBatch, _ranks, _preference);
    }

    /// <summary>
    /// Trains until the end, an early stop or a request to stop; the model then holds the best parameters.
    /// </summary>
    /// <exception cref="SafeLlamaException">A step was not finite, or a file could not be written.</exception>
    public TrainingResult Run(CancellationToken stop)
    {
        if (!Refer(stop) || !_defense.Refer(
            _folder, isNew: _checkpoints.Steps.Count == 0, _model, _workspace, _data.Training, stop))
        {
            return Result(_trainer.StepsDone, interrupted: true);
        }

        Resume();
        using var log = _ranks.IsFirst() ? new TrainingLog(_folder, _trainer.StepsDone) : null;
        MeasureStart(log);
        while (_trainer.StepsDone < _totalSteps && !StoppedEarly && !_target.IsReachedBy(_best))
        {
            // Several ranks stop after the same step: any of them may have been asked.
            if (_ranks.Size == 1 ? stop.IsCancellationRequested : _trainer.StopIsAsked)
            {
                Report(log);
                Save();
                return Result(_trainer.StepsDone, interrupted: true);
            }

            Step(log, stop);
            OutputFile.FaultSite?.Invoke("step", $"step {_trainer.StepsDone}");
            if (_trainer.StepsDone % _config.EvaluateEvery == 0 || _trainer.StepsDone == _totalSteps)
            {
                Report(log);
                Validate(log);
                Save();
                if (_ranks.IsFirst())
                {
                    _checkpoints.Prune(_config.KeepCheckpoints, _best?.Step);
                }
            }
        }

        if (_target.Ending(_best, _trainer.StepsDone, _totalSteps) is { } ending)
        {
            _view.Note(ending);
        }

        var best = _best?.Step ?? _trainer.StepsDone;
        if (_ranks.IsFirst())
        {
            _checkpoints.LoadParameters(_trainer, best);
        }

        _ranks.Share(_trainer.Moments.Select(m => m.Parameter.Value));
        return Result(best, interrupted: false);
    }

    public void Dispose()
    {
        _validator.Dispose();
        _trainer.Dispose();
        _defense.Dispose();
        _workspace.Dispose();
    }

    private bool StoppedEarly => _config.Patience > 0 && _sinceBest >= _config.Patience;

    private TrainerSettings Settings(LearningRateSchedule schedule) => new(schedule)
    {
        Optimizer = _config.Optimizer,
        MaxGradientNorm = _config.MaxGradNorm,
        Divisor = _config.LossDivisor,
        Objective = _preference ?? _defense.Objective,
        Term = _defense.Term,
        NeftuneAlpha = _config.NeftuneAlpha,
        Seed = _config.Seed,
    };

    /// <summary>
    /// Asks the model how likely every answer is while it is as it began, or reads what it said then; false where the
    /// run was asked to stop meanwhile.
    /// </summary>
    private bool Refer(CancellationToken stop)
    {
        if (_config.Preference is not { } settings || !settings.Objective.NeedsReference())
        {
            return true;
        }

        List<PreferenceExample> examples = [.. _data.Training.Concat(_data.General).Cast<PreferenceExample>()];
        var path = Path.Combine(_folder, ReferenceLikelihoods.FileName);
        if (File.Exists(path) || _checkpoints.Steps.Count > 0)
        {
            _preference!.Reference = ReferenceLikelihoods.Read(path, examples);
            return true;
        }

        try
        {
            var computed = ReferenceLikelihoods.Compute(_model, _workspace, examples, _config.MicroBatch, stop);
            computed.Write(path, examples);
            _preference!.Reference = computed;
            _view.Note($"log-probabilities of {examples.Count} preferences by the model as it begins: {path}");
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Resumes from the newest whole checkpoint, if there is one; rank 0 reads it for all.</summary>
    private void Resume()
    {
        TrainerState? state = null;
        if (_ranks.IsFirst())
        {
            _checkpoints.Prune(int.MaxValue, best: null);
            state = _checkpoints.Steps is [.., var last] ? _checkpoints.Load(_trainer, last, _totalSteps) : null;
        }

        state = _ranks.Broadcast(state);
        if (state is not null)
        {
            _ranks.Share(_trainer.Moments.SelectMany(m => new[] { m.Parameter.Value, m.First, m.Second }));
            (_best, _sinceBest, _trainer.StepsDone) = (state.Best, state.SinceBest, state.Step);
            _view.Note($"resumed at step {state.Step} of {_totalSteps}");
        }
    }

    private void Save()
    {
        if (_ranks.IsFirst())
        {
            _checkpoints.Save(_trainer, _best, _sinceBest, _baseModel);
        }
    }

    /// <summary>Queues a step, and reports the previous one while this one runs.</summary>
    private void Step(TrainingLog? log, CancellationToken stop)
    {
        var start = Stopwatch.GetTimestamp();
        var examples = _defense.Term?.Rows(_trainer.StepsDone)
            ?? [.. _sampler.Step(_trainer.StepsDone).Select(i => _data.Training[i])];
        var microBatches = BatchPacker.Step(examples, _config.MicroBatch);
        _trainer.Accumulate(microBatches);
        Report(log, _trainer.ReportBefore);
        _trainer.SumGradients(stop.IsCancellationRequested);
        _trainer.Update();
        (_unreported, _begun) = (microBatches, Math.Max(start, _begun));
        if (_trainer.IsReportReady)
        {
            Report(log);
        }
    }

    /// <summary>Waits for the last step and reports it, unless it was reported.</summary>
    private void Report(TrainingLog? log) => Report(log, _trainer.Report);

    private void Report(TrainingLog? log, Func<StepReport> wait)
    {
        if (_unreported is not { } microBatches)
        {
            return;
        }

        _unreported = null;
        var report = wait();
        if (!report.IsFinite)
        {
            throw NonFiniteDiagnosis.Explain(_trainer, microBatches);
        }

        _standstill.Check(report);
        _lastLoss = report.Loss;
        var now = Stopwatch.GetTimestamp();
        var seconds = Stopwatch.GetElapsedTime(_begun, now).TotalSeconds;
        _begun = now;
        log?.Step(report, _sampler.EpochAfter(report.Step), seconds);
        _view.Stepped(report, _totalSteps, seconds);
    }

    /// <summary>What the model does before it learns, which tells whether learning helps; no candidate for the
    /// best.</summary>
    private void MeasureStart(TrainingLog? log)
    {
        if (_trainer.StepsDone > 0)
        {
            _startLoss = TrainingLog.StartLoss(_folder);
        }
        else if (_data.ValidationCount > 0)
        {
            var report = _validator.Measure(step: 0);
            _startLoss = report.Loss;
            log?.Validation(report);
            _view.Began(report);
        }
    }

    private void Validate(TrainingLog? log)
    {
        if (_data.ValidationCount == 0)
        {
            return;
        }

        var report = _validator.Measure(_trainer.StepsDone);
        if (!double.IsFinite(report.Loss))
        {
            throw new SafeLlamaException(
                ExitCode.NonFinite,
                $"Step {report.Step}: the validation loss is {report.Loss}. The last checkpoint is whole.",
                null, "lower `LearningRate`");
        }

        log?.Validation(report);
        var isBest = _best is null || report.Loss < _best.Loss;
        (_best, _sinceBest) = isBest ? (new BestStep(report.Step, report.Loss), 0) : (_best, _sinceBest + 1);
        _view.Validated(report, isBest);
    }

    private TrainingResult Result(int best, bool interrupted) =>
        new(_trainer.StepsDone, _totalSteps, best, _best?.Loss, _lastLoss, interrupted) { StartLoss = _startLoss };
}
