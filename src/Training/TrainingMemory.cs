using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>Plans the memory of a training run before any of it is allocated.</summary>
/// <remarks>
/// The code that allocates the tensors also plans them, so the plan is exact except for the scratch of ops, for which
/// it takes an upper bound, and for the program itself.
/// </remarks>
public static class TrainingMemory
{
    /// <summary>The most rows of a pass: a micro-batch of the longest examples.</summary>
    public static int MicroBatchRows(TrainingConfig config, TrainingData data)
    {
        static int Longest(IEnumerable<int> lengths, int count) => lengths.OrderDescending().Take(count).Sum();
        return new[] { data.Training, data.General, data.Safety, data.Harmful }.Max(rows => Math.Max(
            Longest(rows.Select(e => e.Length), config.MicroBatch),
            Longest(rows.Select(e => (e as PreferenceExample)?.Mismatched?.Length ?? 0), config.MicroBatch)));
    }

    /// <param name="weightBytes">What the weights take, where they are frozen.</param>
    /// <param name="load">How frozen weights are read.</param>
    /// <param name="ranks">The processes that share a step; the plan is of each.</param>
    public static MemoryPlan Of(
        IBackend backend, LlamaConfig shape, TrainingConfig config, int rows, int longest, long weightBytes,
        LoadForm load = default, int ranks = 1)
    {
        using var weights = LlamaWeights.Plan(backend, shape, trainable: config.Lora is null);
        using var adapter = config.Lora is { } lora ? LoraAdapter.Plan(backend, shape, lora) : null;
        using var model = new Llama(backend, weights, adapter, longest);
        var values = model.Parameters.Sum(p => p.Value.ByteCount);
        var rank = adapter?.Pairs.Max(p => p.Rank) ?? 0;
        var work = new WorkSize(
            rows, Math.Min(longest, rows), Widest(shape), shape.Heads, shape.KeyValueHeads, shape.HeadDim, rank,
            config.Lora is { Dropout: > 0 })
        {
            Logits = (LossHead.ChunkRows(backend, shape, rows), shape.VocabularySize),
            LearnsHead = config.Lora is null,
            QuantizesActivations = load.QuantizesActivations(shape),
        };
        var gradients = adapter?.GradientBytes ?? model.Parameters.Sum(p => p.Gradient.ByteCount);
        var sums = gradients * GradientTree.CopiesFor(config.BatchSize / config.MicroBatch, ranks);
        string[] learner = adapter is null ? ["train an adapter instead of all weights: leave out `Full`"]
            : ["lower `Rank`", "name fewer `Targets`"];
        string[] passes = ["lower `MicroBatch`", "lower `MaxLength`"];
        return new MemoryPlan([
            adapter is null
                ? new("weights", values, "take a smaller model")
                : new(
                    "frozen weights", weightBytes, "take a smaller model", "take one stored in bf16",
                    "quantize it with `Load` nf4"),
            .. adapter is null ? (MemoryTerm[])[] : [new MemoryTerm("adapter", adapter.ValueBytes, learner)],
            new("gradients", gradients, learner),
            .. sums == 0 ? (MemoryTerm[])[] : [new MemoryTerm("sums of micro-batches", sums, ["raise `MicroBatch`"])],
            new("optimizer state", 2 * model.Parameters.Sum(p => MomentBytes(backend, p.Value)), learner),
            .. OfDefense(config, model),
            new("activations", Workspace.BytesFor(model, rows, forBackward: true, config.Recompute),
                config.Recompute == Recompute.Block ? passes : ["use `Recompute` block", .. passes]),
            new("scratch", backend.ScratchBytes(work), passes),
            new("program", MemoryPlan.ProgramBytes),
        ]);
    }

    private static IEnumerable<MemoryTerm> OfDefense(TrainingConfig config, Llama model)
    {
        string[] cut = ["lower `Rank`", "leave out `Defense`"];
        if (config.Defense?.Lisa is not null)
        {
            yield return new("Lisa's other state", Lisa.BytesFor(model.Parameters), cut);
        }

        if (config.Defense?.Booster is not null)
        {
            yield return new("Booster's weights and gradients", Booster.BytesFor(model.Parameters), cut);
        }
    }

    /// <summary>A moment is stored whole, also where its parameter is part of a wider tensor.</summary>
    private static long MomentBytes(IBackend backend, Tensor value) => value.Shape.Rank < 2 ? value.ByteCount
        : (long)value.Rows * backend.RowStride(value.Columns, value.Type) * value.Type.Size();

    private static int Widest(LlamaConfig shape) =>
        Math.Max(Math.Max(shape.HiddenSize, shape.IntermediateSize), shape.Heads * shape.HeadDim);
}
