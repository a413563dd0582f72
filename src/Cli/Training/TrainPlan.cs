using System.Text.Json.Nodes;
using SafeLlama.Cli.Settings;
using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Training;

namespace SafeLlama.Cli.Training;

/// <summary>What a run will do, worked out before it does anything: for <c>--dry-run</c>, <c>run.json</c> and the
/// refusal of what does not fit.</summary>
/// <param name="Matched">The linears that get an adapter, with how many layers each.</param>
/// <param name="ParameterCount">Values that learn.</param>
internal sealed record TrainPlan(
    TrainingConfig Config,
    LearningRateSchedule Schedule,
    IReadOnlyList<string> Matched,
    long ParameterCount,
    MemoryPlan Memory,
    long Available)
{
    public static TrainPlan Of(SettingTable s, TrainInputs inputs, TrainingConfig config, IBackend backend)
    {
        config.Validate();
        var total = config.TotalSteps(inputs.Data.Training.Count);
        var schedule = config.ScheduleOver(total);
        schedule.Validate();
        var weightBytes = s.Find(TrainSettings.Model) is { } model ? LlamaWeights.BytesOf(model) : 0;
        using var adapter = config.Lora is { } lora ? LoraAdapter.Plan(backend, inputs.Shape, lora) : null;
        return new TrainPlan(
            config,
            schedule,
            adapter is null ? []
                : [.. adapter.Pairs.GroupBy(p => p.Module.Split('.')[^1]).Select(g => $"{g.Key} × {g.Count()}")],
            adapter?.ParameterCount ?? inputs.Shape.ParameterCount,
            MemoryPlan.Of(backend, inputs.Shape, config, MemoryPlan.MicroBatchRows(config, inputs.Data),
                inputs.Data.Longest, weightBytes),
            TrainRequest.Memory(s, backend));
    }

    /// <summary>The plan for a reader: every setting with its source, then what follows from them.</summary>
    public IEnumerable<string> Lines(SettingTable s, TrainInputs inputs)
    {
        var inert = TrainRequest.Inert(s).SelectMany(i => i.Settings).ToHashSet();
        foreach (var (setting, value) in s.All.Where(e => e.Value.Text.Length > 0 && !inert.Contains(e.Setting)))
        {
            yield return $"{setting.Name,-18} {value.Text.Replace('\n', ' '),-24} {value.Source}";
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
    }

    /// <summary>What the run needs beside what there is.</summary>
    public string InAll =>
        $"memory: {MemoryPlan.Size(Memory.Total),12} in all, of {MemoryPlan.Size(Available)} that can be used";

    /// <exception cref="SafeLlamaException">More memory is needed than the run may use.</exception>
    public void RequireFit() => Memory.RequireFit(Available);

    public JsonObject ToJson() => new()
    {
        ["steps"] = Schedule.TotalSteps,
        ["warmup_steps"] = Schedule.WarmupSteps,
        ["trained_parameters"] = ParameterCount,
        ["matched"] = new JsonArray([.. Matched.Select(m => (JsonNode)m)]),
        ["memory_bytes"] = new JsonObject(Memory.Terms.Select(t => KeyValuePair.Create(t.Name, (JsonNode?)t.Bytes))),
        ["memory_bytes_total"] = Memory.Total,
    };
}
