using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>The tensors that a forward pass of an encoder writes, for N rows of S sequences.</summary>
/// <remarks>For training every layer keeps its own; without a backward pass all layers share memory.</remarks>
public sealed class EncoderActivations
{
    private readonly Tensor[] _hidden;
    private readonly EncoderBlockActivations[] _blocks;

    internal EncoderActivations(Arena arena, EncoderClassifier model, int rows, int sequences, bool forBackward)
    {
        var c = model.Config;
        var wide = arena.Backend.Accumulation;
        (Words, Distances) = (Take(rows, "words"), Take(2 * c.DistanceSpan, "distances"));
        Relative = Take(2 * c.DistanceSpan, "relative");
        (WordsNorm, DistancesNorm) = (new(arena, rows), new(arena, 2 * c.DistanceSpan));
        _hidden = [.. Enumerable.Range(0, forBackward ? c.Layers + 1 : 2).Select(i => Take(rows, $"hidden.{i}"))];
        var start = arena.Position;
        _blocks = [.. model.Blocks.Select(block =>
        {
            arena.Position = forBackward ? arena.Position : start;
            return new EncoderBlockActivations(arena, c, block, rows);
        })];
        arena.Position = arena.ByteCount;
        (First, Pooled, Activated) =
            (Take(sequences, "first"), Take(sequences, "pooled"), Take(sequences, "activated"));
        Logits = arena.Take(new(sequences, c.Labels), wide, "logits");

        Tensor Take(int count, string name) => arena.Take(new(count, c.HiddenSize), name);
    }

    /// <summary>[N, D] rows of the embedding table.</summary>
    public Tensor Words { get; }

    internal NormStatistics WordsNorm { get; }

    /// <summary>[2B, D] the table of distances.</summary>
    public Tensor Distances { get; }

    internal NormStatistics DistancesNorm { get; }

    /// <summary>[2B, D] the table, normalized.</summary>
    public Tensor Relative { get; }

    /// <summary>[S, D] the last hidden state of each [CLS].</summary>
    public Tensor First { get; }

    /// <summary>[S, D] the pooler's product.</summary>
    public Tensor Pooled { get; }

    /// <summary>[S, D] its GELU.</summary>
    public Tensor Activated { get; }

    /// <summary>[S, labels].</summary>
    public Tensor Logits { get; }

    /// <summary>[N, D] the input of a layer; behind the last one, the output.</summary>
    public Tensor Hidden(int layer) => _hidden[layer % _hidden.Length];

    public EncoderBlockActivations Block(int layer) => _blocks[layer];
}

/// <summary>The statistics that a layer norm keeps for backward.</summary>
internal sealed class NormStatistics(Arena arena, int rows)
{
    /// <summary>[N].</summary>
    public Tensor Mean { get; } = arena.Take(new(rows), arena.Backend.Accumulation, "mean");

    /// <summary>[N].</summary>
    public Tensor Rstd { get; } = arena.Take(new(rows), arena.Backend.Accumulation, "rstd");
}

/// <summary>The tensors that one layer of an encoder writes.</summary>
public sealed class EncoderBlockActivations
{
    internal EncoderBlockActivations(Arena arena, EncoderConfig c, EncoderBlock block, int rows)
    {
        Tensor Take(int columns, string name) => arena.Take(new(rows, columns), name);
        Tensor Distances(string name) => arena.Take(new(2 * c.DistanceSpan, c.HiddenSize), name);
        (Query, Key, Value) = (Take(c.HiddenSize, "query"), Take(c.HiddenSize, "key"), Take(c.HiddenSize, "value"));
        (RelativeKey, RelativeQuery) = (Distances("relative_key"), Distances("relative_query"));
        Attended = Take(c.HiddenSize, "attended");
        LogSum = arena.Take(new(rows, c.Heads), arena.Backend.Accumulation, "log_sum");
        (AttentionSum, Middle) = (Take(c.HiddenSize, "attention_sum"), Take(c.HiddenSize, "middle"));
        (Inner, Activated) = (Take(c.IntermediateSize, "inner"), Take(c.IntermediateSize, "activated"));
        OutputSum = Take(c.HiddenSize, "output_sum");
        (AttentionNorm, OutputNorm) = (new(arena, rows), new(arena, rows));
        LoraActivations? U(LoraLinear linear, int count) => LoraActivations.Take(arena, linear, count);
        (QueryLora, KeyLora, ValueLora) = (U(block.Query, rows), U(block.Key, rows), U(block.Value, rows));
        (OutputLora, InnerLora, OuterLora) = (U(block.Output, rows), U(block.Inner, rows), U(block.Outer, rows));
        (RelativeKeyLora, RelativeQueryLora) =
            (U(block.Key, 2 * c.DistanceSpan), U(block.Query, 2 * c.DistanceSpan));
    }

    /// <summary>[N, D].</summary>
    public Tensor Query { get; }

    /// <summary>[N, D].</summary>
    public Tensor Key { get; }

    /// <summary>[N, D].</summary>
    public Tensor Value { get; }

    /// <summary>[2B, D] distances through the layer's own key projection.</summary>
    public Tensor RelativeKey { get; }

    /// <summary>[2B, D] distances through the layer's own query projection.</summary>
    public Tensor RelativeQuery { get; }

    /// <summary>[N, D].</summary>
    public Tensor Attended { get; }

    /// <summary>[N, H].</summary>
    public Tensor LogSum { get; }

    /// <summary>[N, D] before the norm.</summary>
    public Tensor AttentionSum { get; }

    internal NormStatistics AttentionNorm { get; }

    /// <summary>[N, D] between attention and feed-forward.</summary>
    public Tensor Middle { get; }

    /// <summary>[N, F].</summary>
    public Tensor Inner { get; }

    /// <summary>[N, F] its GELU.</summary>
    public Tensor Activated { get; }

    /// <summary>[N, D] before the norm.</summary>
    public Tensor OutputSum { get; }

    internal NormStatistics OutputNorm { get; }

    // What each linear's adapter keeps of its N rows, or of the 2B distances; null where there is none.
    internal LoraActivations? QueryLora { get; }

    internal LoraActivations? KeyLora { get; }

    internal LoraActivations? ValueLora { get; }

    internal LoraActivations? OutputLora { get; }

    internal LoraActivations? InnerLora { get; }

    internal LoraActivations? OuterLora { get; }

    internal LoraActivations? RelativeKeyLora { get; }

    internal LoraActivations? RelativeQueryLora { get; }
}
