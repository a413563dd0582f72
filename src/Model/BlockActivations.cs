using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>The tensors that the forward pass of one block keeps for its backward pass.</summary>
public sealed class BlockActivations
{
    internal BlockActivations(Arena arena, LlamaConfig c, TransformerBlock block, int n, SharedActivations shared)
    {
        var kept = shared.Kept;
        AttentionIn = block.Attention.IsInputTrainable
            ? arena.Take(new(n, c.HiddenSize), kept, "attention_in")
            : shared.Normed;
        AttentionRstd = arena.Take(new(n), arena.Backend.Accumulation, "attention_rstd");
        Attention = new AttentionActivations(arena, c, block.Attention, n, kept);
        AttentionResidual = arena.Take(new(n, c.HiddenSize), arena.Backend.Accumulation, "middle");
        FeedForwardIn = block.FeedForward.IsInputTrainable
            ? arena.Take(new(n, c.HiddenSize), kept, "feed_forward_in") : shared.Normed;
        FeedForwardRstd = arena.Take(new(n), arena.Backend.Accumulation, "feed_forward_rstd");
        FeedForward = new FeedForwardActivations(arena, c, block.FeedForward, n, shared);
    }

    /// <summary>[N, D] the block's input, normalized; kept where a linear that reads it learns.</summary>
    public Tensor AttentionIn { get; }

    /// <summary>[N].</summary>
    public Tensor AttentionRstd { get; }

    public AttentionActivations Attention { get; }

    /// <summary>[N, D] the residual stream between attention and feed-forward.</summary>
    public Tensor AttentionResidual { get; }

    /// <summary>[N, D] <see cref="AttentionResidual"/>, normalized; kept where a linear that reads it learns.</summary>
    public Tensor FeedForwardIn { get; }

    /// <summary>[N].</summary>
    public Tensor FeedForwardRstd { get; }

    public FeedForwardActivations FeedForward { get; }
}

/// <summary>Tensors that backward does not read; all blocks share them.</summary>
public sealed class SharedActivations
{
    /// <param name="kept">The type of what products read, in all blocks.</param>
    internal SharedActivations(Arena arena, LlamaConfig c, int n, DType kept)
    {
        Kept = kept;
        Normed = arena.Take(new(n, c.HiddenSize), kept, "normed");
        Product = arena.Take(new(n, c.IntermediateSize), kept, "product");
    }

    public DType Kept { get; }

    /// <summary>[N, D].</summary>
    public Tensor Normed { get; }

    /// <summary>[N, F].</summary>
    public Tensor Product { get; }
}

/// <summary>The tensors that attention keeps; those of an adapter exist where there is one.</summary>
public sealed class AttentionActivations
{
    internal AttentionActivations(Arena arena, LlamaConfig c, AttentionLayer layer, int n, DType kept)
    {
        Query = arena.Take(new(n, c.Heads * c.HeadDim), kept, "query");
        Key = arena.Take(new(n, c.KeyValueHeads * c.HeadDim), kept, "key");
        Value = arena.Take(new(n, c.KeyValueHeads * c.HeadDim), kept, "value");
        LogSum = arena.Take(new(n, c.Heads), arena.Backend.Accumulation, "log_sum");
        AttentionOutput = arena.Take(new(n, c.Heads * c.HeadDim), kept, "mixed");
        QueryLora = LoraActivations.Take(arena, layer.Query, n);
        KeyLora = LoraActivations.Take(arena, layer.Key, n);
        ValueLora = LoraActivations.Take(arena, layer.Value, n);
        OutputLora = LoraActivations.Take(arena, layer.Output, n);
    }

    /// <summary>[N, H·d], rotated by position.</summary>
    public Tensor Query { get; }

    /// <summary>[N, K·d], rotated by position.</summary>
    public Tensor Key { get; }

    /// <summary>[N, K·d].</summary>
    public Tensor Value { get; }

    /// <summary>[N, H].</summary>
    public Tensor LogSum { get; }

    /// <summary>[N, H·d] the values mixed by attention.</summary>
    public Tensor AttentionOutput { get; }

    public LoraActivations? QueryLora { get; }

    public LoraActivations? KeyLora { get; }

    public LoraActivations? ValueLora { get; }

    public LoraActivations? OutputLora { get; }
}

/// <summary>The tensors that the feed-forward layer keeps; those of an adapter exist where there is one.</summary>
public sealed class FeedForwardActivations
{
    internal FeedForwardActivations(Arena arena, LlamaConfig c, FeedForward layer, int n, SharedActivations shared)
    {
        Gate = arena.Take(new(n, c.IntermediateSize), shared.Kept, "gate");
        Up = arena.Take(new(n, c.IntermediateSize), shared.Kept, "up");
        Product = layer.Down.IsTrainable
            ? arena.Take(new(n, c.IntermediateSize), shared.Kept, "product")
            : shared.Product;
        GateLora = LoraActivations.Take(arena, layer.Gate, n);
        UpLora = LoraActivations.Take(arena, layer.Up, n);
        DownLora = LoraActivations.Take(arena, layer.Down, n);
    }

    /// <summary>[N, F].</summary>
    public Tensor Gate { get; }

    /// <summary>[N, F].</summary>
    public Tensor Up { get; }

    /// <summary>[N, F] silu(gate) · up; kept where down learns.</summary>
    public Tensor Product { get; }

    public LoraActivations? GateLora { get; }

    public LoraActivations? UpLora { get; }

    public LoraActivations? DownLora { get; }
}
