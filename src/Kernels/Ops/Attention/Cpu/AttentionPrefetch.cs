namespace SafeLlama.Kernels;

/// <summary>What the next block of queries reads, and this one writes, asked for while this one is computed.</summary>
/// <remarks>
/// A head is a short piece of every row, so the machine foresees none of it: each row would cost a wait for memory.
/// Keys are taken to stand where queries do, as they do in training; where they do not, a hint goes astray and nothing
/// else.
/// </remarks>
internal unsafe struct AttentionPrefetch
{
    private PrefetchRows _query;
    private PrefetchRows _output;
    private PrefetchRows _outputGradient;
    private PrefetchRows _key;
    private PrefetchRows _value;
    private PrefetchRows _queryGradient;
    private PrefetchRows _keyGradient;
    private PrefetchRows _valueGradient;

    /// <param name="t">The tensors of a forward.</param>
    /// <param name="block">The block that is computed now.</param>
    /// <param name="head">Its head.</param>
    public static AttentionPrefetch Forward(in AttentionOperands t, KeyGroup block, int head)
    {
        var (own, shared) = (head * t.HeadDim, head / t.Group * t.HeadDim);
        return new()
        {
            _query = Of(t.Q, block.End, own, t.HeadDim),
            _output = Of(t.Y, block.First, own, t.HeadDim),
            _key = Of(t.K, block.End, shared, t.HeadDim),
            _value = Of(t.V, block.End, shared, t.HeadDim),
        };
    }

    /// <param name="t">The tensors of a backward.</param>
    /// <param name="block">The block that is computed now.</param>
    /// <param name="head">Its head.</param>
    public static AttentionPrefetch Backward(in AttentionOperands t, KeyGroup block, int head)
    {
        var (own, shared) = (head * t.HeadDim, head / t.Group * t.HeadDim);
        return Forward(t, block, head) with
        {
            _output = Of(t.Y, block.End, own, t.HeadDim),
            _outputGradient = Of(t.Dy, block.End, own, t.HeadDim),
            _queryGradient = Of(t.Dq, block.First, own, t.HeadDim),
            _keyGradient = Of(t.Dk, block.First, shared, t.HeadDim),
            _valueGradient = Of(t.Dv, block.First, shared, t.HeadDim),
        };
    }

    /// <summary>The same of tensors kept in bf16; a forward has no gradients.</summary>
    public static AttentionPrefetch Of(in Bf16AttentionOperands t, KeyGroup block, int head)
    {
        var (own, shared, d) = (head * t.HeadDim, head / t.Group * t.HeadDim, t.HeadDim);
        return new()
        {
            _query = Of(t.Q, block.End, own, d),
            _output = Of(t.Y, t.Rest.Dy.Pointer == null ? block.First : block.End, own, d),
            _key = Of(t.K, block.End, shared, d),
            _value = Of(t.V, block.End, shared, d),
            _outputGradient = Of(t.Rest.Dy, block.End, own, d),
            _queryGradient = Of(t.Rest.Dq, block.First, own, d),
            _keyGradient = Of(t.Rest.Dk, block.First, shared, d),
            _valueGradient = Of(t.Rest.Dv, block.First, shared, d),
        };
    }

    public void PrefetchQueries(int turns)
    {
        _query.PrefetchShare(turns);
        _output.PrefetchShare(turns);
        _outputGradient.PrefetchShare(turns);
    }

    public void PrefetchKeys(int turns)
    {
        _key.PrefetchShare(turns);
        _value.PrefetchShare(turns);
    }

    public void PrefetchResults(int turns)
    {
        _queryGradient.PrefetchShare(turns);
        _keyGradient.PrefetchShare(turns);
        _valueGradient.PrefetchShare(turns);
    }

    private static PrefetchRows Of(in Rows<ushort> rows, int first, int column, int headDim) => new(
        (float*)(rows.At(first) + column), rows.Stride / 2, QueryBlock<Lanes128>.Queries, (headDim + 1) / 2);

    private static PrefetchRows Of(in Rows<float> rows, int first, int column, int headDim) =>
        new(rows.Pointer == null ? null : rows.At(first) + column, rows.Stride, QueryBlock<Lanes128>.Queries, headDim);
}
