using SafeLlama.Common;
using SafeLlama.Distributed;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>What a run will do, worked out before it does anything: shown, kept in <c>run.json</c>, and the reason to
/// refuse what does not fit.</summary>
/// <param name="Matched">The linears that get an adapter, with how many layers each.</param>
/// <param name="ParameterCount">Values that learn.</param>
/// <param name="Available">The bytes each rank may use.</param>
public sealed record FineTunePlan(
    TrainingConfig Config,
    LearningRateSchedule Schedule,
    IReadOnlyList<string> Matched,
    long ParameterCount,
    MemoryPlan Memory,
    long Available)
{
    /// <summary>The processes that share each step.</summary>
    public int Ranks { get; init; } = 1;

    /// <param name="ranks">The processes that share the work; one alone where not given.</param>
    /// <exception cref="SafeLlamaException">A setting is out of range.</exception>
    public static FineTunePlan Of(
        FineTuneRequest request, FineTuneInputs inputs, IBackend backend, ICommunicator? ranks = null)
    {
        ranks ??= SingleProcess.Instance;
        var config = request.Config();
        config.Validate();
        var steps = config.TotalSteps(inputs.Data.Training.Count);
        if (config.Defense?.Lisa is { } lisa && steps <= lisa.AlignmentSteps)
        {
            throw SafeLlamaException.Usage(
                $"`{nameof(FineTuneRequest.LisaAlignmentSteps)}` {lisa.AlignmentSteps}: the run has {steps} steps, so "
                + "all would be on safety rows, and no other row would be learned.",
                "lower it, and `LisaTuningSteps` with it", "train longer, with more `Epochs`");
        }

        var schedule = config.ScheduleOver(steps);
        schedule.Validate();
        if (config.Defense?.SafeLora is { } safeLora)
        {
            SafeLoraRun.Check(safeLora, inputs.Shape, config.Lora);
        }

        var weightBytes = request.Model is { } model ? LlamaWeights.BytesOf(model, request.LoadForm) : 0;
        using var adapter = config.Lora is { } lora ? LoraAdapter.Plan(backend, inputs.Shape, lora) : null;
        return new FineTunePlan(
            config,
            schedule,
            adapter is null ? []
                : [.. adapter.Pairs.GroupBy(p => p.Module.Split('.')[^1]).Select(g => $"{g.Key} × {g.Count()}")],
            adapter?.ParameterCount ?? inputs.Shape.ParameterCount,
            TrainingMemory.Of(backend, inputs.Shape, config, TrainingMemory.MicroBatchRows(config, inputs.Data),
                inputs.Data.Longest, weightBytes, request.LoadForm, ranks.Size),
            ShareOf(request, backend, weightBytes, ranks.CountHere()))
        {
            Ranks = ranks.Size,
            Base = BaseRecord.Of(request, inputs, backend),
            Advice = new FineTuneAdvice(request, inputs, config, backend).Lines(),
        };
    }

    /// <summary>How a quantized base is held and computed with; null where it is not quantized.</summary>
    public BaseRecord? Base { get; init; }

    /// <summary>What the run needs beside what there is.</summary>
    public string InAll =>
        $"memory: {MemoryPlan.Size(Memory.Total),12} in all{(Ranks > 1 ? " for each rank" : "")}, of "
        + $"{MemoryPlan.Size(Available)} that can be used";

    /// <summary>How the ranks share a step; null where there is one.</summary>
    public string? Sharing
    {
        get
        {
            var microBatches = Config.BatchSize / Config.MicroBatch;
            var idle = Math.Max(0, Ranks - microBatches);
            return Ranks == 1 ? null
                : $"ranks: {Ranks}; a step has {microBatches} micro-batches, "
                    + $"{(microBatches + Ranks - 1) / Ranks} at most for each"
                    + (idle > 0 ? $", and {idle} ranks have nothing to do: a smaller micro-batch gives them work" : "");
        }
    }

    /// <exception cref="SafeLlamaException">More memory is needed than the run may use.</exception>
    public void RequireFit() => Memory.RequireFit(Available);

    /// <summary>The plan for a reader: every setting with its source, then what follows from them.</summary>
    public IEnumerable<string> Lines(SettingTable<FineTuneRequest> settings, FineTuneInputs inputs)
    {
        var inert = FineTuneChecks.Inert(settings.Value)
            .SelectMany(i => i.Names).Select(SettingText.NameOf).ToHashSet();
        foreach (var (name, value) in settings.All.Where(e => e.Value.Value.Length > 0 && !inert.Contains(e.Name)))
        {
            yield return $"{name,-18} {value.Value.Replace('\n', ' '),-24} {value.Source}";
        }

        foreach (var note in inputs.Notes)
        {
            yield return note;
        }

        yield return $"{Counted.Of(Schedule.TotalSteps, "step")}, {Schedule.WarmupSteps} of them warm-up; "
            + $"a validation and a checkpoint every {Config.EvaluateEvery}.";
        yield return Config.Lora is null
            ? $"All {ParameterCount:N0} weights learn."
            : $"{ParameterCount:N0} of {inputs.Shape.ParameterCount + ParameterCount:N0} weights learn, "
                + $"beside {string.Join(", ", Matched)}.";
        if (Base is { } quantized)
        {
            yield return quantized.Line;
        }

        if (Config.Preference is { } preference)
        {
            yield return Objective(preference, inputs);
        }

        foreach (var line in DefenseAdvice.Plan(Config))
        {
            yield return line;
        }

        if (Sharing is { } sharing)
        {
            yield return sharing;
        }

        foreach (var term in Memory.Terms)
        {
            yield return $"memory: {MemoryPlan.Size(term.Bytes),12} {term.Name}";
        }

        yield return InAll;
        foreach (var line in Advice)
        {
            yield return line;
        }
    }

    /// <summary>
    /// Ranks of one machine share its memory, in which frozen weights lie once where they are mapped from their files,
    /// not converted.
    /// </summary>
    private static long ShareOf(FineTuneRequest request, IBackend backend, long weightBytes, int ranksHere)
    {
        var (all, shared) = (request.MemoryBytes(backend), request.LoadForm.Equals(default) ? weightBytes : 0);
        return request.Memory is not null || backend.MemoryBytes is not null || ranksHere == 1
            ? all
            : shared + (Math.Max(0, all - shared) / ranksHere);
    }

    /// <summary>
    /// What is worth knowing before the run, a line each, with its source; worked out as it is read, while the backend
    /// is open.
    /// </summary>
    public IEnumerable<string> Advice { get; init; } = [];

    private static string Objective(PreferenceSettings s, FineTuneInputs inputs)
    {
        var text = $"objective {SettingText.Of(s.Objective)}: beta {SettingText.Of(s.Beta)}, log-probabilities of "
            + $"{(s.LengthNormalization ? "the mean token" : "whole answers")}";
        return s.Objective.NeedsReference()
            ? $"{text}; the model as it begins reads "
                + $"{inputs.Data.Training.Count + inputs.Data.ValidationCount} preferences first"
                + $"{(s.Objective == Training.Objective.Kto && s.ReferencePoint is null
                    ? ", and the policy answers under other prompts in every step" : "")}."
            : $"{text}; no reference is needed.";
    }

    public PlanRecord ToRecord() => new(
        Schedule.TotalSteps, Schedule.WarmupSteps, ParameterCount, Matched,
        Memory.Terms.ToDictionary(t => t.Name, t => t.Bytes), Memory.Total)
    {
        Preference = Config.Preference,
        Defense = Config.Defense,
        Base = Base,
        Ranks = Ranks,
    };
}

/// <summary>A plan as JSON.</summary>
/// <param name="Steps">Optimizer steps.</param>
/// <param name="WarmupSteps">Steps over which the learning rate rises.</param>
/// <param name="TrainedParameters">Values that learn.</param>
/// <param name="Matched">The linears that get an adapter, with how many layers each.</param>
/// <param name="MemoryBytes">What the memory is for.</param>
/// <param name="MemoryBytesTotal">All of it, for each rank.</param>
/// <param name="Settings">Every setting with its source; only in the plan of a dry run.</param>
/// <param name="Advice">What is worth knowing before the run, with its source; only in the plan of a dry run.</param>
public sealed record PlanRecord(
    int Steps,
    int WarmupSteps,
    long TrainedParameters,
    IReadOnlyList<string> Matched,
    IReadOnlyDictionary<string, long> MemoryBytes,
    long MemoryBytesTotal,
    IReadOnlyDictionary<string, SettingValue>? Settings = null,
    IReadOnlyList<string>? Advice = null)
{
    /// <summary>How preferences are learned, every value resolved; absent where none are.</summary>
    public PreferenceSettings? Preference { get; init; }

    /// <summary>The defenses, every value resolved; absent where there are none.</summary>
    public DefenseSettings? Defense { get; init; }

    /// <summary>How a quantized base is held and computed with; absent where it is not quantized.</summary>
    public BaseRecord? Base { get; init; }

    /// <summary>Processes that share each step.</summary>
    public int Ranks { get; init; } = 1;
}
