using System.Diagnostics;
using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Inference;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Training;

namespace SafeLlama.Benchmarks;

/// <summary>
/// Whole steps as a user runs them: forward, loss, backward, clipping, AdamW; or a whole greedy generation.
/// </summary>
internal static class StepBenchmark
{
    /// <summary>r of every adapter; α is twice as much.</summary>
    public const int Rank = 8;

    public static int Run(StepOptions o)
    {
        using var backend = Open(o.Device, o.Threads);
        using var profile = o.Profile ? new OpProfile(backend) : null;
        var started = Stopwatch.GetTimestamp();
        using var weights = o.Mode == "full"
            ? LlamaWeights.InitializeRandom(backend, o.Shape.Config, seed: 1)
            : LlamaWeights.Load(
                backend, o.Shape.Config,
                o.Gguf is { } format ? RandomModel.File(o.Shape, format) : RandomModel.Folder(o.Shape, o.Weights),
                o.Load);
        using var adapter = o.Mode == "lora" ? LoraAdapter.Create(backend, o.Shape.Config, Adapter(o), seed: 1) : null;
        using var model = new Llama(backend, weights, adapter, Math.Max(o.Shape.Length, o.Generated + 1));
        var measured = o.Mode == "decode" ? Decode(o, model, profile) : Train(o, model, profile);
        Console.WriteLine(JsonSerializer.Serialize(
            Report(o, measured, Stopwatch.GetElapsedTime(started)), Json.Line));
        profile?.Print(Console.Error, measured.Seconds.Count);
        return 0;
    }

    public static IBackend Open(string device, int threads) => device switch
    {
        "cuda" => OpenGpu(DType.Float32),
        "cuda:bf16" => OpenGpu(DType.BFloat16),
        "cpu" => new CpuBackend(threads),
        "cpu:bf16" => new CpuBackend(threads, DType.BFloat16),
        _ => throw SafeLlamaException.Usage($"--device {device}: is unknown, expected cpu, cuda or cuda:bf16."),
    };

    private static GpuBackend OpenGpu(DType activation)
    {
        var opened = GpuBackend.OpenCuda(activation);
        Console.Error.WriteLine($"{opened.Name}: {GpuBackend.State}.");
        return opened;
    }

    private static LoraConfig Adapter(StepOptions o) => new()
    {
        Rank = Rank,
        Alpha = 2 * Rank,
        Targets = LoraConfig.ParseTargets(o.Targets == "all" ? "all" : "q_proj,v_proj"),
    };

    private static Measured Train(StepOptions o, Llama model, OpProfile? profile)
    {
        using var workspace = new Workspace(model, o.Shape.Rows, forBackward: true, o.Recompute);
        var schedule = new LearningRateSchedule(ScheduleShape.Constant, 1e-3, 0, o.Warmup + o.Steps);
        var settings = new TrainerSettings(schedule) { MaxGradientNorm = 0 };
        using var trainer = new Trainer(model, workspace, settings, maxMicroBatches: 1);
        PackedBatch[] batch = [Batch(o.Shape)];
        var loss = double.NaN;
        var measured = Measure(o, o.Shape.Rows, profile, () => loss = trainer.Step(batch).Loss);
        return measured with { Loss = loss, PlannedBytes = StepCost.Bytes(o, model, workspace) };
    }

    private static Measured Decode(StepOptions o, Llama model, OpProfile? profile)
    {
        var generator = new Generator(model, new DecodingConfig { MaxNewTokens = o.Generated });
        int[][] prompts = [.. Enumerable.Range(0, o.Sequences).Select(_ => new[] { 1 })];
        return Measure(o, o.Sequences * o.Generated, profile, () => generator.Generate(prompts));
    }

    private static Measured Measure(StepOptions o, int tokens, OpProfile? profile, Action step)
    {
        for (var i = 0; i < o.Warmup; i++)
        {
            step();
        }

        profile?.Reset();
        var (seconds, processors) = (new List<double>(o.Steps), new List<double>(o.Steps));
        var (processor, allocated) = (ProcessTime(), GC.GetTotalAllocatedBytes());
        for (var i = 0; i < o.Steps; i++)
        {
            var start = Stopwatch.GetTimestamp();
            var began = Environment.CpuUsage.TotalTime;
            step();
            seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
            processors.Add((Environment.CpuUsage.TotalTime - began).TotalSeconds);
        }

        profile?.Stop();
        return new Measured(seconds, ProcessTime() - processor, tokens, GC.GetTotalAllocatedBytes() - allocated)
        {
            Processors = processors,
        };
    }

    /// <summary>
    /// B sequences of random tokens, every token but the last of each to be predicted, and the last too.
    /// </summary>
    private static PackedBatch Batch(ModelShape shape)
    {
        var stream = Philox.Stream(1, "tokens");
        return PackedBatch.Of([.. Enumerable.Range(0, shape.Batch).Select(b =>
        {
            int[] drawn = [.. Enumerable.Range(0, shape.Length + 1).Select(t =>
                stream.Below((b * (shape.Length + 1L)) + t, shape.Config.VocabularySize))];
            return new TokenizedExample($"{b}", default!, drawn[..^1], drawn[1..], shape.Length);
        })]);
    }

    private static Dictionary<string, object?> Report(StepOptions o, Measured m, TimeSpan total)
    {
        var sorted = m.Seconds.Order().ToList();
        var median = sorted[sorted.Count / 2];
        return new()
        {
            ["peer"] = "SafeLlama",
            ["config"] = o.Shape.Name,
            ["mode"] = o.Mode,
            ["targets"] = o.Mode == "lora" ? o.Targets : null,
            ["dtype"] = o.Gguf is not null ? $"{o.Gguf} weights"
                : o.Load != LoadForm.Stored ? $"{o.Load} weights"
                : o.Weights == DType.BFloat16 ? "bf16 weights" : "fp32",
            ["device"] = o.Device,
            ["threads"] = o.Threads,
            ["layers"] = o.Shape.Config.Layers,
            ["width"] = o.Shape.Config.HiddenSize,
            ["batch"] = o.Mode == "decode" ? o.Sequences : o.Shape.Batch,
            ["seq"] = o.Mode == "decode" ? o.Generated : o.Shape.Length,
            ["steps"] = sorted.Count,
            ["tokens_per_s"] = Math.Round(m.Tokens / median, 2),
            ["s_per_step_median"] = Math.Round(median, 5),
            ["s_per_step_min"] = Math.Round(sorted[0], 5),
            ["s_per_step_max"] = Math.Round(sorted[^1], 5),
            ["cpu_s_per_step"] = Math.Round(m.ProcessorSeconds / sorted.Count, 5),
            ["loss_last"] = m.Loss is { } loss ? Math.Round(loss, 4) : null,
            ["peak_rss_mb"] = PeakMemory.Megabytes(),
            ["flops_per_step"] = StepCost.Flops(o),
            ["planned_mb"] = m.PlannedBytes is { } planned ? planned >> 20 : null,
            ["allocated_bytes_per_step"] = m.Allocated / sorted.Count,
            ["s_total"] = Math.Round(total.TotalSeconds, 2),
            ["cpu_s"] = m.Processors.Select(seconds => Math.Round(seconds, 5)),
            ["machine"] = MachineStamp.Now,
        };
    }

    /// <summary>CPU time of this process: beside the wall time it shows how busy the machine was.</summary>
    private static double ProcessTime() => Process.GetCurrentProcess().TotalProcessorTime.TotalSeconds;

    private sealed record Measured(List<double> Seconds, double ProcessorSeconds, int Tokens, long Allocated)
    {
        /// <summary>Processor time of each step.</summary>
        public IReadOnlyList<double> Processors { get; init; } = [];

        public double? Loss { get; init; }

        public long? PlannedBytes { get; init; }
    }
}
