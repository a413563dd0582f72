using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>
/// Attention: queries select values by their keys, and the result is projected onto the residual stream.
/// </summary>
public sealed class AttentionLayer
{
    private readonly IBackend _ops;
    private readonly RopeTable _rope;
    private readonly int _headDim;
    private readonly double _scale;

    internal AttentionLayer(IBackend ops, LlamaConfig config, RopeTable rope, Func<string, LoraLinear> linear)
    {
        (_ops, _rope, _headDim, _scale) = (ops, rope, config.HeadDim, 1 / Math.Sqrt(config.HeadDim));
        (Query, Key, Value, Output) = (linear("q_proj"), linear("k_proj"), linear("v_proj"), linear("o_proj"));
    }

    public LoraLinear Query { get; }

    public LoraLinear Key { get; }

    public LoraLinear Value { get; }

    public LoraLinear Output { get; }

    /// <summary>Whether a linear that reads this layer's input learns.</summary>
    public bool IsInputTrainable => Query.IsTrainable || Key.IsTrainable || Value.IsTrainable;

    /// <param name="x">[N, D] normalized input.</param>
    /// <param name="batch">Positions and key ranges.</param>
    /// <param name="a">Kept for backward.</param>
    /// <param name="residual">[N, D] what the result is added to.</param>
    /// <param name="output">[N, D].</param>
    public void Forward(Tensor x, TokenBatch batch, AttentionActivations a, Tensor residual, Tensor output)
    {
        Project(x, batch, a);
        _ops.Attention.Forward(Input(a, batch), a.AttentionOutput, a.LogSum);
        Output.Forward(a.AttentionOutput, batch, a.OutputLora, new(Residual: residual), output);
    }

    /// <summary>
    /// As <see cref="Forward"/>, but adds the keys and values of this step to a cache, which the queries then read.
    /// </summary>
    /// <param name="cache">Where this layer's keys and values stand; the batch's key ranges are rows of it.</param>
    public void ForwardCached(
        Tensor x, TokenBatch batch, AttentionActivations a, LayerCache cache, Tensor residual, Tensor output)
    {
        Project(x, batch, a);
        // A query's last key is its own, so the new key and value go to that row of the cache.
        _ops.Elementwise.ScatterRows(a.Key, batch.LastKey, cache.Keys);
        _ops.Elementwise.ScatterRows(a.Value, batch.LastKey, cache.Values);
        _ops.Attention.Forward(
            Input(a, batch) with { K = cache.Keys, V = cache.Values }, a.AttentionOutput, a.LogSum);
        Output.Forward(a.AttentionOutput, batch, a.OutputLora, new(Residual: residual), output);
    }

    /// <param name="d">[N, D] ∂loss/∂output; the residual's gradient is d itself.</param>
    /// <param name="x">[N, D] from forward.</param>
    /// <param name="batch">As in forward.</param>
    /// <param name="a">From forward.</param>
    /// <param name="s">Scratch.</param>
    /// <param name="dx">[N, D], overwritten; null where nothing below learns.</param>
    public void Backward(Tensor d, Tensor x, TokenBatch batch, AttentionActivations a, Scratch s, Tensor? dx)
    {
        Output.Backward(d, a.AttentionOutput, batch, a.OutputLora, s.Lora, s.AttentionOutput, accumulate: false);
        _ops.Attention.Backward(
            s.AttentionOutput, Input(a, batch), a.AttentionOutput, a.LogSum, s.Delta, new(s.Query, s.Key, s.Value));
        _ops.Rope.Backward(s.Key, batch.Positions, _rope.Cos, _rope.Sin);
        _ops.Rope.Backward(s.Query, batch.Positions, _rope.Cos, _rope.Sin);
        Value.Backward(s.Value, x, batch, a.ValueLora, s.Lora, dx, accumulate: false);
        Key.Backward(s.Key, x, batch, a.KeyLora, s.Lora, dx, accumulate: true);
        Query.Backward(s.Query, x, batch, a.QueryLora, s.Lora, dx, accumulate: true);
    }

    private AttentionInput Input(AttentionActivations a, TokenBatch batch) =>
        new(a.Query, a.Key, a.Value, batch.FirstKey, batch.LastKey, _headDim, _scale);

    private void Project(Tensor x, TokenBatch batch, AttentionActivations a)
    {
        Query.Forward(x, batch, a.QueryLora, a.Query);
        Key.Forward(x, batch, a.KeyLora, a.Key);
        Value.Forward(x, batch, a.ValueLora, a.Value);
        _ops.Rope.Forward(a.Query, batch.Positions, _rope.Cos, _rope.Sin);
        _ops.Rope.Forward(a.Key, batch.Positions, _rope.Cos, _rope.Sin);
    }
}
