using System.CommandLine;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Benchmarks;

/// <summary>What <c>step</c> is asked to measure; the peers understand the same options.</summary>
internal sealed record StepOptions
{
    public required ModelShape Shape { get; init; }

    /// <summary><c>lora</c>, <c>full</c> or <c>decode</c>.</summary>
    public required string Mode { get; init; }

    /// <summary><c>qv</c> or <c>all</c> linears carry an adapter.</summary>
    public required string Targets { get; init; }

    /// <summary>How the checkpoint stores its weights.</summary>
    public required DType Weights { get; init; }

    /// <summary>What its linears become as it is read.</summary>
    public LoadForm Load { get; init; }

    /// <summary>The blocks of the GGUF file that the weights are read from; null for a checkpoint folder.</summary>
    public GgufFormat? Gguf { get; init; }

    public Recompute Recompute { get; init; }

    /// <summary><c>cpu</c>, <c>cuda</c> (fp32 activations) or <c>cuda:bf16</c>.</summary>
    public required string Device { get; init; }

    public required int Threads { get; init; }

    public required int Steps { get; init; }

    public required int Warmup { get; init; }

    /// <summary>Tokens of one generation.</summary>
    public required int Generated { get; init; }

    /// <summary>Sequences that are generated side by side.</summary>
    public required int Sequences { get; init; }

    /// <summary>Prints where the time goes, op by op, after the result.</summary>
    public required bool Profile { get; init; }

    public static Command Command(Func<StepOptions, int> run)
    {
        var config = CommandOptions.One("--config", "tiny", "tiny, small or gqa");
        var mode = CommandOptions.One("--mode", "lora", "lora, full (all weights learn) or decode (greedy)");
        mode.AcceptOnlyFromAmong("lora", "full", "decode");
        var targets = CommandOptions.One("--targets", "qv", "which linears carry an adapter: qv or all");
        targets.AcceptOnlyFromAmong("qv", "all");
        var type = CommandOptions.One("--dtype", "fp32",
            "how weights are stored: fp32, bf16 or a GGUF type; or what bf16 becomes");
        type.AcceptOnlyFromAmong("fp32", "bf16", "nf4", "int8", "int8-weights", "q8_0", "q4_0", "q4_k_m", "q6_k");
        var device = CommandOptions.One("--device", "cpu", "cpu, cpu:bf16, cuda or cuda:bf16");
        device.AcceptOnlyFromAmong("cpu", "cpu:bf16", "cuda", "cuda:bf16");
        var threads = CommandOptions.One("--threads", 1, "the caller's included");
        var steps = CommandOptions.One("--steps", 10, "measured steps");
        var warmup = CommandOptions.One("--warmup", 2, "steps before those");
        var generated = CommandOptions.One("--gen", 200, "tokens of one generation");
        var batch = CommandOptions.One("--batch", 0, "sequences of a step; 0 is the config's own, or 1 in decoding");
        var length = CommandOptions.One("--length", 0, "tokens of a sequence; 0 is the config's own");
        var layers = CommandOptions.One("--layers", 0, "blocks; 0 is the config's own");
        var width = CommandOptions.One("--width", 0, "D, by which heads and F grow too; 0 is the config's own");
        var recompute = new Option<bool>("--recompute") { Description = "backward computes each block again" };
        var profile = new Option<bool>("--profile") { Description = "also print where the time goes, op by op" };
        var command = new Command("step", "one whole training step (or one generation), as one line of JSON")
        {
            config, mode, targets, type, device, threads, steps, warmup, generated, batch, length, layers, width,
            recompute, profile,
        };
        command.SetAction(parsed => run(new StepOptions
        {
            Shape = ModelShapes.ByName(parsed.GetValue(config)!).Resized(
                parsed.GetValue(batch), parsed.GetValue(length), parsed.GetValue(layers), parsed.GetValue(width)),
            Mode = parsed.GetValue(mode)!,
            Targets = parsed.GetValue(targets)!,
            Weights = parsed.GetValue(type) == "fp32" ? DType.Float32 : DType.BFloat16,
            Load = parsed.GetValue(type) switch
            {
                "nf4" => new(LoadAs.Nf4),
                "int8" => new(LoadAs.Int8),
                "int8-weights" => new(LoadAs.Int8Weights),
                _ => LoadForm.Stored,
            },
            Gguf = Enum.TryParse<GgufFormat>(parsed.GetValue(type), ignoreCase: true, out var gguf)
                && gguf.IsQuantized() ? gguf : null,
            Recompute = parsed.GetValue(recompute) ? Recompute.Block : Recompute.Nothing,
            Device = parsed.GetValue(device)!,
            Threads = parsed.GetValue(threads),
            Steps = parsed.GetValue(steps),
            Warmup = parsed.GetValue(warmup),
            Generated = parsed.GetValue(generated),
            Sequences = Math.Max(1, parsed.GetValue(batch)),
            Profile = parsed.GetValue(profile),
        }));
        return command;
    }
}
