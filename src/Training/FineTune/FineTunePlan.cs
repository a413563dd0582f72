using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>What a run will do, worked out before it does anything: shown, kept in <c>run.json</c>, and the reason to
/// refuse what does not fit.</summary>
/// <param name="Matched">The linears that get an adapter, with how many layers each.</param>
/// <param name="ParameterCount">Values that learn.</param>
/// <param name="Available">The bytes the run may use.</param>
public sealed record FineTunePlan(
    TrainingConfig Config,
    LearningRateSchedule Schedule,
    IReadOnlyList<string> Matched,
    long ParameterCount,
    MemoryPlan Memory,
    long Available)
{
    /// <exception cref="SafeLlamaException">A setting is out of range.</exception>
    public static FineTunePlan Of(FineTuneRequest request, FineTuneInputs inputs, IBackend backend)
    {
        var config = request.Config();
        config.Validate();
        var schedule = config.ScheduleOver(config.TotalSteps(inputs.Data.Training.Count));
        schedule.Validate();
        var weightBytes = request.Model is { } model ? LlamaWeights.BytesOf(model, request.LoadForm) : 0;
        using var adapter = config.Lora is { } lora ? LoraAdapter.Plan(backend, inputs.Shape, lora) : null;
        return new FineTunePlan(
            config,
            schedule,
            adapter is null ? []
                : [.. adapter.Pairs.GroupBy(p => p.Module.Split('.')[^1]).Select(g => $"{g.Key} × {g.Count()}")],
            adapter?.ParameterCount ?? inputs.Shape.ParameterCount,
            TrainingMemory.Of(backend, inputs.Shape, config, TrainingMemory.MicroBatchRows(config, inputs.Data),
                inputs.Data.Longest, weightBytes, request.LoadForm),
            request.MemoryBytes(backend))
        {
            Advice = new FineTuneAdvice(request, inputs, config, backend).Lines(),
        };
    }

    /// <summary>What the run needs beside what there is.</summary>
    public string InAll =>
        $"memory: {MemoryPlan.Size(Memory.Total),12} in all, of {MemoryPlan.Size(Available)} that can be used";

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

        yield return $"{Schedule.TotalSteps} steps, {Schedule.WarmupSteps} of them warm-up; "
            + $"a validation and a checkpoint every {Config.EvaluateEvery}.";
        yield return Config.Lora is null
            ? $"All {ParameterCount:N0} weights learn."
            : $"{ParameterCount:N0} of {inputs.Shape.ParameterCount + ParameterCount:N0} weights learn, "
                + $"beside {string.Join(", ", Matched)}.";
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
    /// What is worth knowing before the run, a line each, with its source; worked out as it is read, while the backend
    /// is open.
    /// </summary>
    public IEnumerable<string> Advice { get; init; } = [];

    public PlanRecord ToRecord() => new(
        Schedule.TotalSteps, Schedule.WarmupSteps, ParameterCount, Matched,
        Memory.Terms.ToDictionary(t => t.Name, t => t.Bytes), Memory.Total);
}

/// <summary>A plan as JSON.</summary>
/// <param name="Steps">Optimizer steps.</param>
/// <param name="WarmupSteps">Steps over which the learning rate rises.</param>
/// <param name="TrainedParameters">Values that learn.</param>
/// <param name="Matched">The linears that get an adapter, with how many layers each.</param>
/// <param name="MemoryBytes">What the memory is for.</param>
/// <param name="MemoryBytesTotal">All of it.</param>
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
    IReadOnlyList<string>? Advice = null);
