namespace SafeLlama.Kernels;

/// <summary>Attention over tensors kept in bf16, in the same tiles as <see cref="AttentionCpu{TLanes}"/>.</summary>
/// <remarks>What is computed depends on shapes alone, so any number of threads gives the same bytes.</remarks>
internal sealed unsafe class Bf16Attention<TLanes, TProducts>(TilePool pool, TProducts products)
    where TLanes : struct, ILanes<TLanes>
    where TProducts : struct, IAttentionProducts
{
    private readonly GrowingScratch _values = new("values of attention");
    private readonly GrowingScratch _keys = new("keys of attention");

    /// <param name="t">The tensors.</param>
    /// <param name="keys">Rows of keys.</param>
    /// <param name="blocks">Blocks of queries, none across two groups.</param>
    public void Forward(in Bf16AttentionOperands t, int keys, List<KeyGroup> blocks)
    {
        var floats = Floats(keys, t.KeyHeads, t.HeadDim);
        var with = t with
        {
            PackedValues = (nint)_values.Floats(floats),
            KeyCopy = TProducts.CopiesRows ? (nint)_keys.Floats(floats) : 0,
        };
        var op = (products, t: with, keys, blocks);
        var parts = (keys + Bf16AttentionForward<TLanes, TProducts>.PackedTogether - 1)
            / Bf16AttentionForward<TLanes, TProducts>.PackedTogether;
        pool.For(parts, op, static (in op, part) =>
            Bf16AttentionForward<TLanes, TProducts>.Pack(op.products, op.t, op.keys, part));
        pool.For(blocks.Count * t.Heads, op, static (in op, tile) =>
            Bf16AttentionForward<TLanes, TProducts>.Run(
                op.products, op.t, op.keys, op.blocks[tile / op.t.Heads], tile % op.t.Heads));
    }

    /// <param name="t">The tensors.</param>
    /// <param name="parts">Groups, or parts of them.</param>
    /// <param name="sums">Where the sums of parts go.</param>
    public void Backward(in Bf16AttentionOperands t, List<AttentionPart> parts, float* sums)
    {
        var op = (products, t, parts, Sums: (nint)sums);
        pool.For(parts.Count * t.KeyHeads, op, static (in op, tile) =>
            Bf16AttentionBackward<TLanes, TProducts>.Run(
                op.products, op.t, op.parts[tile / op.t.KeyHeads], tile % op.t.KeyHeads, (float*)op.Sums));
    }

    /// <summary>Floats that packed values take, and copied keys.</summary>
    public static long Floats(int keys, int keyHeads, int headDim) =>
        keyHeads * Bf16AttentionForward<TLanes, TProducts>.HeadBytes(keys, headDim) / sizeof(float);
}
