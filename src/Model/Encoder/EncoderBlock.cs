using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>One layer of an encoder: attention, then feed-forward, each normed after its residual is added.</summary>
/// <remarks>
/// <code>
/// forward    m = LN(attention(h) Woᵀ + bo + h)          h' = LN(gelu(m W1ᵀ + b1) W2ᵀ + b2 + m)
/// </code>
/// Distances pass the same query and key projections as the tokens (share_att_key), adapters included. Backward is
/// forward, read from the bottom.
/// </remarks>
public sealed class EncoderBlock
{
    private readonly IBackend _ops;
    private readonly EncoderConfig _config;
    private readonly LayerNormWeights _attentionNorm, _outputNorm;

    internal EncoderBlock(IBackend ops, EncoderWeights weights, LoraAdapter? adapter, int layer)
    {
        (_ops, _config) = (ops, weights.Config);
        LoraLinear[] linears = [.. EncoderShapes.LinearNames.Select(name =>
        {
            var module = EncoderShapes.Module(layer, name);
            return new LoraLinear(
                ops, weights[module + ".weight"], weights[module + ".bias"], adapter?.Find(module));
        })];
        (Query, Key, Value, Output, Inner, Outer) =
            (linears[0], linears[1], linears[2], linears[3], linears[4], linears[5]);
        _attentionNorm = new(ops, weights, EncoderShapes.Layer(layer) + ".attention.output.LayerNorm");
        _outputNorm = new(ops, weights, EncoderShapes.Layer(layer) + ".output.LayerNorm");
        IsTrainable = linears.Any(l => l.IsTrainable);
    }

    public LoraLinear Query { get; }

    public LoraLinear Key { get; }

    public LoraLinear Value { get; }

    /// <summary>After attention.</summary>
    public LoraLinear Output { get; }

    /// <summary>D to F.</summary>
    public LoraLinear Inner { get; }

    /// <summary>F to D.</summary>
    public LoraLinear Outer { get; }

    /// <summary>Whether backward has a gradient to give here.</summary>
    public bool IsTrainable { get; }

    /// <summary>Three terms are summed: content, content to position, position to content.</summary>
    private double Scale => 1 / Math.Sqrt(3 * _config.HeadDim);

    /// <param name="h">[N, D] the layer's input.</param>
    /// <param name="relative">[2B, D] the normalized table of distances.</param>
    /// <param name="bucket">[2R − 1] rows of that table by distance.</param>
    /// <param name="batch">The rows that each row sees.</param>
    /// <param name="a">Where the layer writes.</param>
    /// <param name="output">[N, D].</param>
    internal void Forward(
        Tensor h, Tensor relative, Tensor bucket, TokenBatch batch, EncoderBlockActivations a, Tensor output)
    {
        Query.Forward(h, batch, a.QueryLora, a.Query);
        Key.Forward(h, batch, a.KeyLora, a.Key);
        Value.Forward(h, batch, a.ValueLora, a.Value);
        Query.Forward(relative, batch, a.RelativeQueryLora, a.RelativeQuery);
        Key.Forward(relative, batch, a.RelativeKeyLora, a.RelativeKey);
        _ops.DisentangledAttention.Forward(Input(a, bucket, batch), _config.HeadDim, Scale, a.Attended, a.LogSum);
        Output.Forward(a.Attended, batch, a.OutputLora, new(Residual: h), a.AttentionSum);
        _attentionNorm.Forward(a.AttentionSum, a.AttentionNorm, a.Middle);
        Inner.Forward(a.Middle, batch, a.InnerLora, a.Inner);
        _ops.Gelu.Forward(a.Inner, a.Activated);
        Outer.Forward(a.Activated, batch, a.OuterLora, new(Residual: a.Middle), a.OutputSum);
        _outputNorm.Forward(a.OutputSum, a.OutputNorm, output);
    }

    /// <summary>From ∂loss/∂output in s.Stream to ∂loss/∂h there, adding to everything that learns.</summary>
    /// <param name="below">Where the gradients of h and of the table of distances go; null where nothing below
    /// learns.</param>
    internal void Backward(
        Tensor h, Tensor relative, Tensor bucket, TokenBatch batch, EncoderBlockActivations a, EncoderScratch s,
        (Tensor H, Tensor Relative)? below)
    {
        _outputNorm.Backward(s.Stream, a.OutputSum, a.OutputNorm, s.Sum);
        Outer.Backward(s.Sum, a.Activated, batch, a.OuterLora, s.Lora, s.Inner, accumulate: false);
        _ops.Gelu.Backward(s.Inner, a.Inner, s.Inner);
        Inner.Backward(s.Inner, a.Middle, batch, a.InnerLora, s.Lora, s.Sum, accumulate: true);
        _attentionNorm.Backward(s.Sum, a.AttentionSum, a.AttentionNorm, s.Stream);
        Output.Backward(s.Stream, a.Attended, batch, a.OutputLora, s.Lora, s.Attended, accumulate: false);

        var d = s.Attention;
        d.RelativeKey.Clear();
        d.RelativeQuery.Clear();
        _ops.DisentangledAttention.Backward(
            s.Attended, Input(a, bucket, batch), _config.HeadDim, Scale, a.LogSum, d);
        Value.Backward(d.Value, h, batch, a.ValueLora, s.Lora, below?.H, accumulate: true);
        Key.Backward(d.Key, h, batch, a.KeyLora, s.Lora, below?.H, accumulate: true);
        Query.Backward(d.Query, h, batch, a.QueryLora, s.Lora, below?.H, accumulate: true);
        Key.Backward(
            d.RelativeKey, relative, batch, a.RelativeKeyLora, s.RelativeLora, below?.Relative, accumulate: true);
        Query.Backward(
            d.RelativeQuery, relative, batch, a.RelativeQueryLora, s.RelativeLora, below?.Relative, accumulate: true);
    }

    private static DisentangledInput Input(EncoderBlockActivations a, Tensor bucket, TokenBatch batch) => new(
        a.Query, a.Key, a.Value, new(a.RelativeKey, a.RelativeQuery, bucket), batch.FirstKey, batch.LastKey);
}
