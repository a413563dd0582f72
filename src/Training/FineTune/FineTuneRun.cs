using System.Diagnostics;
using System.Globalization;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Distributed;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>How a fine-tuning run ended, as JSON too.</summary>
/// <param name="Steps">Optimizer steps done.</param>
/// <param name="BestStep">The step whose parameters were saved.</param>
/// <param name="ValidationLoss">Its validation loss; absent where nothing is held out.</param>
/// <param name="TrainingLoss">Training loss of the last step; absent where none was taken.</param>
/// <param name="Saved">The folder of the adapter or of the model; absent where the run was interrupted.</param>
public sealed record FineTuneResult(
    int Steps, int BestStep, double? ValidationLoss, double? TrainingLoss, string? Saved)
{
    /// <summary>The validation loss before the first step; absent where nothing is held out.</summary>
    public double? StartLoss { get; init; }
}

/// <summary>A model and rows to an adapter, or to a model trained whole.</summary>
/// <remarks>
/// The folder holds <c>run.json</c>, <c>mixture.json</c>, <c>metrics.jsonl</c>, <c>timings.jsonl</c>,
/// <c>tensorboard/</c>, <c>checkpoints/</c>, and at the end <c>adapter/</c> or <c>model/</c>.
/// <code>
/// using var backend = new CpuBackend(4);
/// var request = new FineTuneRequest { Model = "models/tiny", Data = ["rows.jsonl"], Steps = 100 };
/// var result = new FineTuneRun(new(request), backend, NoView.Instance).Run("run", resume: false, stop);
/// </code>
/// </remarks>
/// <param name="settings">What to do.</param>
/// <param name="backend">Where to compute; it outlives the run.</param>
/// <param name="view">Who watches.</param>
/// <param name="ranks">The processes that share each step; this one alone where not given. Rank 0 writes the
/// folder.</param>
public sealed class FineTuneRun(
    SettingTable<FineTuneRequest> settings, IBackend backend, ITrainingView view, ICommunicator? ranks = null)
{
    private const string MixtureFile = "mixture.json";

    /// <summary>The files by which the folder of a run is known; the mixture is written first.</summary>
    public static readonly RunSign[] Signs =
    [
        new(RunFile.Name, "settings", "inputs", "plan"), new(MixtureFile, "sources", "row_ids"),
    ];

    /// <summary>Fewer steps than this seldom teach anything.</summary>
    private const int FewSteps = 20;

    private readonly ICommunicator _ranks = ranks ?? SingleProcess.Instance;
    private readonly FineTuneRequest _request = Checked(settings, ranks);

    private string BaseModel => _request.Model ?? "";

    private string BaseName => _request.BaseName ?? BaseModel;

    /// <summary>Works out what the run would do, and writes nothing.</summary>
    public (FineTunePlan Plan, FineTuneInputs Inputs) Plan()
    {
        var read = FineTuneInputs.Read(_request);
        var inputs = read with { Notes = [.. read.Notes, .. FineTuneDefaults.Notes(settings)] };
        return (FineTunePlan.Of(_request, inputs, backend, _ranks), inputs);
    }

    /// <summary>Learns until the end, an early stop or a request to stop.</summary>
    /// <param name="output">The run's folder: new or empty, or one to go on with.</param>
    /// <param name="resume">Go on with what the folder holds.</param>
    /// <exception cref="SafeLlamaException">The folder is taken, a file is wrong, it does not fit, or a step was not
    /// finite.</exception>
    public FineTuneResult Run(string output, bool resume, CancellationToken stop)
    {
        using var claimed = _ranks.IsFirst() ? OutputFolder.Claim(output, resume, Signs) : null;
        var (plan, inputs) = Plan();
        view.Note(plan.InAll);
        plan.RequireFit();
        if (plan.Sharing is { } sharing)
        {
            view.Note(sharing);
        }

        view.Planned(plan.Schedule.TotalSteps);
        Begin(output, resume, plan, inputs);

        using var weights = Weights(inputs.Shape);
        using var adapter = plan.Config.Lora is null ? null : Adapter(weights, plan.Config.Lora);
        using var model = new Llama(backend, weights, adapter, inputs.Data.Longest);
        view.Note($"{backend.Name}: {plan.ParameterCount:N0} weights learn for "
            + $"{Counted.Of(plan.Schedule.TotalSteps, "step")}.");
        if (plan.Base is { } quantized)
        {
            view.Note(quantized.Line);
        }
        using var run = new TrainingRun(model, plan.Config, inputs.Data, output, BaseName, view, _ranks);
        var result = run.Run(stop);
        foreach (var warning in result.Interrupted ? [] : Warnings(result, plan.Schedule))
        {
            view.Note(warning);
        }

        if (!result.Interrupted && plan.Config.Defense?.SafeLora is { } safeLora)
        {
            view.Note(SafeLoraRun.Project(backend, adapter!, safeLora, output));
        }

        var saved = result.Interrupted || !_ranks.IsFirst() ? null : adapter is null
            ? SaveModel(output, weights, inputs)
            : SaveAdapter(
                output, adapter, inputs,
                AdapterCard.Write(PeftFolder.NameOf(output), settings, inputs, plan, result));
        return _ranks.Broadcast(
            new FineTuneResult(result.Steps, result.BestStep, result.BestLoss, result.LastLoss, saved)
            {
                StartLoss = result.StartLoss,
            });
    }

    /// <summary>What a user should know of a run that may not have helped.</summary>
    private static IEnumerable<string> Warnings(TrainingResult result, LearningRateSchedule schedule)
    {
        if (result.IsWorse)
        {
            yield return string.Create(CultureInfo.InvariantCulture,
                $"Warning: this run did not help: validation loss {result.StartLoss:F4} before it, {result.BestLoss:F4} "
                + $"at its best. A lower learning rate, or rows more like those held out, may.");
        }

        if (result.Steps < FewSteps)
        {
            yield return $"Warning: {Counted.Of(result.Steps, "optimizer step")} "
                + (result.Steps == 1 ? "is few" : "are few")
                + (schedule.At(0) == 0 ? ", and the first has a learning rate of 0" : "")
                + ": more epochs or a smaller batch give more.";
        }
    }

    private static FineTuneRequest Checked(SettingTable<FineTuneRequest> settings, ICommunicator? ranks)
    {
        FineTuneChecks.Check(settings);
        PreferenceObjective.RequireOneProcess(
            settings.Value.Objective.IsPreference(), ranks ?? SingleProcess.Instance);
        RunDefense.RequireOneProcess(settings.Value.DefenseConfig(), ranks ?? SingleProcess.Instance);
        FineTuneDefaults.Settle(settings);
        return settings.Value;
    }

    private void Begin(string output, bool resume, FineTunePlan plan, FineTuneInputs inputs)
    {
        var hashes = inputs.Hashes(_request);
        _ranks.RequireSame(Facts(hashes));
        if (!_ranks.IsFirst())
        {
            return;
        }

        if (resume && RunFile.IsIn(output))
        {
            RunFile.Read(output).RequireUnchanged(output, hashes);
            if (new CheckpointFolder(output).Steps.Count == 0)
            {
                view.Note($"{output}: holds no checkpoint, so the run begins again with its first step.");
            }

            return;
        }

        foreach (var note in inputs.Notes)
        {
            view.Note(note);
        }

        inputs.Manifest.Write(Path.Combine(output, MixtureFile));
        RunFile.Of(settings, hashes, plan).Write(output);
    }

    /// <summary>What decides the result, and what this rank would compute it with.</summary>
    private Dictionary<string, string> Facts(IReadOnlyDictionary<string, string> hashes) => new(
    [
        .. ProgramFacts.Of(backend),
        .. settings.All.Where(s => !FineTuneRequest.Harmless.Contains(SettingText.PropertyOf(s.Name)))
            .Select(s => KeyValuePair.Create($"`{SettingText.PropertyOf(s.Name)}`", s.Value.Value)),
        .. hashes.Select(h => KeyValuePair.Create($"the hash of {h.Key}", h.Value)),
    ]);

    private LlamaWeights Weights(LlamaConfig shape)
    {
        if (_request.Init is not null)
        {
            return LlamaWeights.InitializeRandom(backend, shape, _request.Seed);
        }

        var weights = _request.IsFull
            ? LlamaWeights.LoadTrainable(backend, shape, BaseModel)
            : LlamaWeights.Load(backend, shape, BaseModel, _request.LoadForm);
        foreach (var note in weights.Notes)
        {
            view.Note(note);
        }

        if (UnusedTensors.Note(BaseModel, weights.Ignored) is { } unused)
        {
            view.Note(unused);
        }

        return weights;
    }

    private LoraAdapter Adapter(LlamaWeights weights, LoraConfig config)
    {
        if (_request.Adapter is not { } folder)
        {
            var start = Stopwatch.GetTimestamp();
            var created = LoraAdapter.Create(backend, weights, config, _request.Seed);
            if (config.Variant == LoraVariant.Pissa)
            {
                view.Note(FormattableString.Invariant(
                    $"PiSSA: the {config.Rank} largest singular vectors of {created.Pairs.Count} weights took ")
                    + FormattableString.Invariant($"{Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s; ")
                    + "the adapter is saved as a plain LoRA of twice the rank.");
            }

            return created;
        }

        var adapter = PeftFolder.Load(backend, weights.Config, folder, trainable: true);
        if (adapter.ChangesNothing)
        {
            view.Note($"{folder}: this adapter changes nothing yet: A or B is zero in every pair.");
        }

        return adapter;
    }

    private string SaveAdapter(string output, LoraAdapter adapter, FineTuneInputs inputs, string card)
    {
        var path = Path.Combine(output, "adapter");
        if (AdapterFolder.Save(adapter, path, BaseName, inputs.Template, card, view))
        {
            view.Note(
                $"{Path.Combine(path, ModelCard.FileName)}: a model card; its license is left for you to fill in.");
        }

        return path;
    }

    private string SaveModel(string output, LlamaWeights weights, FineTuneInputs inputs)
    {
        var path = Path.Combine(output, "model");
        AtomicFolder.Ensure(path, ModelFolder.ConfigName, partial =>
        {
            ModelFolder.Write(
                partial, weights, _request.Dtype == StoredType.Bf16 ? DType.BFloat16 : DType.Float32, _request.Model,
                inputs.TokenizerFolder);
            TemplateRecord.Save(partial, inputs.Template);
        });
        return path;
    }
}
