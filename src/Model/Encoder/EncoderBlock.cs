using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>One layer of an encoder: attention, then feed-forward, each normed after its residual is added.</summary>
/// <remarks>
/// <code>
/// forward    m = LN(attention(h) Woᵀ + bo + h)          h' = LN(gelu(m W1ᵀ + b1) W2ᵀ + b2 + m)
/// </code>
/// Distances pass the same query and key projections as the tokens (share_att_key).
/// </remarks>
public sealed class EncoderBlock
{
    private readonly IBackend _ops;
    private readonly EncoderConfig _config;
    private readonly LoraLinear _query, _key, _value, _output, _inner, _outer;
    private readonly LayerNormWeights _attentionNorm, _outputNorm;

    internal EncoderBlock(IBackend ops, EncoderWeights weights, int layer)
    {
        (_ops, _config) = (ops, weights.Config);
        LoraLinear[] linears = [.. EncoderShapes.LinearNames.Select(name =>
        {
            var module = EncoderShapes.Module(layer, name);
            return new LoraLinear(ops, weights[module + ".weight"], weights[module + ".bias"], null);
        })];
        (_query, _key, _value, _output, _inner, _outer) =
            (linears[0], linears[1], linears[2], linears[3], linears[4], linears[5]);
        _attentionNorm = new(ops, weights, EncoderShapes.Layer(layer) + ".attention.output.LayerNorm");
        _outputNorm = new(ops, weights, EncoderShapes.Layer(layer) + ".output.LayerNorm");
    }

    /// <param name="h">[N, D] the layer's input.</param>
    /// <param name="relative">[2B, D] the normalized table of distances.</param>
    /// <param name="bucket">[2R − 1] rows of that table by distance.</param>
    /// <param name="batch">The rows that each row sees.</param>
    /// <param name="a">Where the layer writes.</param>
    /// <param name="output">[N, D].</param>
    internal void Forward(
        Tensor h, Tensor relative, Tensor bucket, TokenBatch batch, EncoderBlockActivations a, Tensor output)
    {
        _query.Forward(h, batch, null, a.Query);
        _key.Forward(h, batch, null, a.Key);
        _value.Forward(h, batch, null, a.Value);
        _query.Forward(relative, batch, null, a.RelativeQuery);
        _key.Forward(relative, batch, null, a.RelativeKey);
        _ops.DisentangledAttention.Forward(Input(a, bucket, batch), _config.HeadDim, Scale, a.Attended, a.LogSum);
        _output.Forward(a.Attended, batch, null, new(Residual: h), a.AttentionSum);
        _attentionNorm.Forward(a.AttentionSum, a.AttentionNorm, a.Middle);
        _inner.Forward(a.Middle, batch, null, a.Inner);
        _ops.Gelu.Forward(a.Inner, a.Activated);
        _outer.Forward(a.Activated, batch, null, new(Residual: a.Middle), a.OutputSum);
        _outputNorm.Forward(a.OutputSum, a.OutputNorm, output);
    }

    /// <summary>Three terms are summed: content, content to position, position to content.</summary>
    private double Scale => 1 / Math.Sqrt(3 * _config.HeadDim);

    private static DisentangledInput Input(EncoderBlockActivations a, Tensor bucket, TokenBatch batch) => new(
        a.Query, a.Key, a.Value, new(a.RelativeKey, a.RelativeQuery, bucket), batch.FirstKey, batch.LastKey);
}
