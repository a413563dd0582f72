using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Benchmarks;

/// <summary>Texts through an encoder of DeBERTa-v3-large's shape and drawn weights, as a judge reads them.</summary>
internal static class EncoderCommand
{
    /// <summary>The shape of DeBERTa-v3-large with one output: 435 million weights.</summary>
    private static EncoderConfig Large => new()
    {
        VocabularySize = 128_100,
        HiddenSize = 1024,
        IntermediateSize = 4096,
        Layers = 24,
        Heads = 16,
        DistanceSpan = 256,
        LogBuckets = true,
        MaxDistance = 512,
        Labels = 1,
    };

    public static Command Create()
    {
        var threads = CommandOptions.One("--threads", 1, "the caller's included");
        var texts = CommandOptions.One("--texts", 1, "texts of a pass");
        var length = CommandOptions.One("--length", 512, "tokens of a text");
        var layers = CommandOptions.One("--layers", 0, "layers; 0 is the shape's own 24");
        var steps = CommandOptions.One("--steps", 5, "measured passes");
        var backward = new Option<bool>("--backward") { Description = "also the backward of a head and adapters" };
        var profile = new Option<bool>("--profile") { Description = "also print where the time goes, op by op" };
        var command = new Command(
            "encoder", "texts through a DeBERTa-v3-large shaped judge: share of the peak, memory planned and taken")
        {
            threads, texts, length, layers, steps, backward, profile,
        };
        command.SetAction(parsed =>
        {
            var config = parsed.GetValue(layers) > 0 ? Large with { Layers = parsed.GetValue(layers) } : Large;
            Run(
                config, parsed.GetValue(threads), (parsed.GetValue(texts), parsed.GetValue(length)),
                parsed.GetValue(steps), parsed.GetValue(backward), parsed.GetValue(profile));
        });
        return command;
    }

    /// <summary>Operations of the matrix products of one forward pass; everything else is linear and small.</summary>
    public static double Flops(EncoderConfig c, int texts, int length)
    {
        double d = c.HiddenSize, f = c.IntermediateSize, rows = (double)texts * length;
        var distances = Math.Min(2.0 * c.DistanceSpan, (2.0 * length) - 1);
        var linears = 2 * rows * ((4 * d * d) + (2 * d * f));
        var relative = 2 * 2.0 * c.DistanceSpan * 2 * d * d;

        // Content by content and probabilities by values; content by distance, twice.
        var attention = 2 * rows * d * ((2 * length) + (2 * distances));
        return c.Layers * (linears + relative + attention);
    }

    private static void Run(
        EncoderConfig config, int threads, (int Count, int Length) texts, int steps, bool backward, bool profile)
    {
        using var backend = new CpuBackend(threads);
        using var weights = EncoderWeights.Load(
            backend, config, RandomModel.Folder(config), backward ? EncoderLearning.Head : EncoderLearning.Nothing);
        using var adapter = backward ? LoraAdapter.Create(
            backend, LoraSite.Of(config),
            new LoraConfig { Rank = 8, Alpha = 16, TargetPattern = LoraConfig.EncoderLinears }, 1) : null;
        using var model = new EncoderClassifier(backend, weights, texts.Length, adapter);
        var rows = texts.Count * texts.Length;
        using var workspace = new EncoderWorkspace(model, rows, texts.Count, backward);
        var stream = Philox.Stream(1, "tokens");
        int[][] ids = [.. Enumerable.Range(0, texts.Count).Select(t => Enumerable.Range(0, texts.Length)
            .Select(i => stream.Below((t * texts.Length) + i, config.VocabularySize)).ToArray())];
        Pass();
        using var times = profile ? new OpProfile(backend) : null;
        times?.Reset();
        var seconds = new List<double>();
        var processor = ProcessTime();
        for (var i = 0; i < steps; i++)
        {
            var start = Stopwatch.GetTimestamp();
            Pass();
            seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        times?.Stop();
        var cpu = (ProcessTime() - processor) / steps;
        var planned = Planned(model, rows, workspace.ByteCount);
        var peak = PeakMemory.Megabytes();
        var flops = Flops(config, texts.Count, texts.Length);
        var limit = Roofline.Glance().GigaflopsPerSecond;
        Console.WriteLine(JsonSerializer.Serialize(new Dictionary<string, object?>
        {
            ["config"] = $"DeBERTa-v3-large, {config.Layers} layers",
            ["mode"] = backward ? "forward and backward, r = 8" : "forward",
            ["threads"] = threads,
            ["texts"] = texts.Count,
            ["tokens"] = rows,
            ["s_median"] = Math.Round(seconds.Order().ElementAt(steps / 2), 3),
            ["cpu_s"] = Math.Round(cpu, 3),
            ["gflop_forward"] = Math.Round(flops / 1e9, 1),
            ["gflops_per_cpu_s"] = backward ? null : Math.Round(flops / cpu / 1e9, 1),
            ["core_limit"] = Math.Round(limit, 1),
            ["share_of_limit"] = backward ? null : Math.Round(flops / cpu / 1e9 / limit, 3),
            ["planned_mb"] = planned >> 20,
            ["peak_rss_mb"] = peak,
            ["machine"] = MachineStamp.Now,
        }, Json.Line));
        times?.Print(Console.Error, steps);

        void Pass()
        {
            var (logits, pass) = model.Forward(ids, workspace);
            if (backward)
            {
                model.Backward(pass, [.. logits.Select(y => y / logits.Length)]);
            }
        }
    }

    /// <summary>
    /// Weights as the file stores them, what learns with its gradients, activations and the scratch of ops; the program
    /// itself is not counted.
    /// </summary>
    private static long Planned(EncoderClassifier model, int rows, long activations)
    {
        var files = EncoderShapes.Of(model.Config).Sum(s => s.Shape.Count * DType.Float32.Size());
        return files + (2 * model.Parameters.Sum(p => p.Value.ByteCount)) + activations
            + EncoderWorkspace.ScratchFor(model, rows);
    }

    private static double ProcessTime() => Process.GetCurrentProcess().TotalProcessorTime.TotalSeconds;
}
