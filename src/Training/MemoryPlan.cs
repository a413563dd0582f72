using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>One part of the memory a run needs.</summary>
/// <param name="Name">What it holds.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Cuts">What makes it smaller; any one of them does.</param>
public sealed record MemoryTerm(string Name, long Bytes, params IReadOnlyList<string> Cuts);

/// <summary>The memory a run will need, term by term, before any of it is allocated.</summary>
/// <remarks>The tensors are planned by the code that later allocates them, so the plan is exact but for the scratch
/// of ops, of which it names the most, and the program itself.</remarks>
public sealed record MemoryPlan(IReadOnlyList<MemoryTerm> Terms)
{
    /// <summary>The runtime, its code and the rows in memory, in bytes: measured on small runs, rounded up.</summary>
    public const long ProgramBytes = 128L << 20;

    public long Total => Terms.Sum(t => t.Bytes);

    /// <summary>The most rows of a pass: a micro-batch of the longest examples.</summary>
    public static int MicroBatchRows(TrainingConfig config, TrainingData data)
    {
        static int Longest(IReadOnlyList<Data.TokenizedExample> examples, int count) =>
            examples.Select(e => e.Length).OrderDescending().Take(count).Sum();
        return new[] { data.Training, data.General, data.Safety }.Max(rows => Longest(rows, config.MicroBatch));
    }

    /// <param name="weightBytes">Of the checkpoint's files, where the weights are frozen.</param>
    public static MemoryPlan Of(
        IBackend backend, LlamaConfig shape, TrainingConfig config, int rows, int longest, long weightBytes)
    {
        using var weights = LlamaWeights.Plan(backend, shape, trainable: config.Lora is null);
        using var adapter = config.Lora is { } lora ? LoraAdapter.Plan(backend, shape, lora) : null;
        using var model = new Llama(backend, weights, adapter, longest);
        var values = model.Parameters.Sum(p => p.Value.ByteCount);
        var rank = adapter?.Pairs.Max(p => p.Rank) ?? 0;
        var work = new WorkSize(
            rows, Math.Min(longest, rows), Widest(shape), shape.Heads, shape.KeyValueHeads, shape.HeadDim, rank,
            config.Lora is { Dropout: > 0 });
        string[] learner = adapter is null ? ["train an adapter instead of all weights: leave out `Full`"]
            : ["lower `Rank`", "name fewer `Targets`"];
        string[] passes = ["lower `MicroBatch`", "lower `MaxLength`"];
        return new MemoryPlan([
            adapter is null
                ? new("weights", values, "take a smaller model")
                : new("frozen weights", weightBytes, "take a smaller model", "take one stored in bf16"),
            .. adapter is null ? (MemoryTerm[])[] : [new MemoryTerm("adapter", values, learner)],
            new("gradients", model.Parameters.Sum(p => p.Gradient.ByteCount), learner),
            new("optimizer state", 2 * values, learner),
            new("activations", Workspace.BytesFor(model, rows, forBackward: true, config.Recompute),
                config.Recompute == Recompute.Block ? passes : ["use `Recompute` block", .. passes]),
            new("scratch", backend.ScratchBytes(work), passes),
            new("program", ProgramBytes),
        ]);
    }

    private static int Widest(LlamaConfig shape) =>
        Math.Max(Math.Max(shape.HiddenSize, shape.IntermediateSize), shape.Heads * shape.HeadDim);

    /// <exception cref="SafeLlamaException">More is needed than <paramref name="available"/> bytes.</exception>
    public void RequireFit(long available)
    {
        if (Total > available)
        {
            var largest = Terms.MaxBy(t => t.Bytes)!;
            throw SafeLlamaException.DoesNotFit(
                $"The run needs {Size(Total)}, {Size(available)} can be used. "
                + $"The largest part is {Size(largest.Bytes)} for {largest.Name}.",
                [.. largest.Cuts, "name another limit with `Memory`"]);
        }
    }

    public static string Size(long bytes) => bytes >= 1L << 30
        ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.00} GiB")
        : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):0.0} MiB");
}
