using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>Two residual halves: attention across positions, then feed-forward at each position.</summary>
public sealed class TransformerBlock
{
    private readonly IBackend _ops;
    private readonly double _epsilon;
    private readonly Weight _attentionNorm;
    private readonly Weight _feedForwardNorm;
    private readonly int _layer;

    internal TransformerBlock(
        IBackend ops, LlamaWeights weights, LoraAdapter? adapter, IReadOnlyList<LoraAdapter> choices, RopeTable rope,
        int layer)
    {
        var config = weights.Config;
        (_ops, _epsilon, _layer) = (ops, config.RmsNormEpsilon, layer);
        _attentionNorm = weights[$"model.layers.{layer}.input_layernorm.weight"];
        _feedForwardNorm = weights[$"model.layers.{layer}.post_attention_layernorm.weight"];
        LoraLinear Linear(string name)
        {
            var module = LlamaShapes.Module(layer, name);
            return new(
                ops, weights[$"{module}.weight"], weights.Find($"{module}.bias"), adapter?.Find(module),
                [.. choices.Select(choice => choice.Find(module))]);
        }

        Attention = new AttentionLayer(ops, config, rope, Linear);
        FeedForward = new FeedForward(ops, Linear);
    }

    public AttentionLayer Attention { get; }

    public FeedForward FeedForward { get; }

    /// <summary>Whether this block has trained parameters.</summary>
    public bool IsTrainable =>
        Attention.IsInputTrainable || Attention.Output.IsTrainable
        || FeedForward.IsInputTrainable || FeedForward.Down.IsTrainable;

    /// <param name="h">[N, D] residual stream.</param>
    /// <param name="batch">Positions and key ranges.</param>
    /// <param name="a">Kept for backward.</param>
    /// <param name="cache">This layer's keys and values in generation; null in training.</param>
    /// <param name="output">[N, D] residual stream after the block.</param>
    /// <param name="hook">Reads or changes the stream between the halves; null for nothing.</param>
    public void Forward(
        Tensor h, TokenBatch batch, BlockActivations a, LayerCache? cache, Tensor output, IStreamHook? hook = null)
    {
        ForwardToMiddle(h, batch, a, cache, hook);
        FeedForward.Forward(a.FeedForwardIn, batch, a.FeedForward, a.AttentionResidual, output);
    }

    /// <summary>Fills <paramref name="a"/> as forward did: the same ops on the same values, dropout included.</summary>
    /// <param name="h">[N, D] the block's input, kept.</param>
    /// <param name="output">[N, D] the block's output; it is not used again.</param>
    public void Recompute(Tensor h, TokenBatch batch, BlockActivations a, Tensor output)
    {
        ForwardToMiddle(h, batch, a, cache: null);
        FeedForward.Recompute(a.FeedForwardIn, batch, a.FeedForward, a.AttentionResidual, output);
    }

    /// <summary>
    /// Replaces ∂loss/∂output in s.Stream by ∂loss/∂h; the residual path passes the gradient unchanged.
    /// </summary>
    /// <param name="continues">Whether anything below learns; without, ∂loss/∂h is left unfinished.</param>
    public void Backward(Tensor h, TokenBatch batch, BlockActivations a, Scratch s, bool continues)
    {
        FeedForward.Backward(s.Stream, a.FeedForwardIn, batch, a.FeedForward, s, s.Normed);
        _ops.RmsNorm.Backward(
            s.Normed, a.AttentionResidual, _feedForwardNorm.Value, a.FeedForwardRstd, s.Stream,
            _feedForwardNorm.Gradient);
        Attention.Backward(s.Stream, a.AttentionIn, batch, a.Attention, s, continues ? s.Normed : null);
        if (continues)
        {
            _ops.RmsNorm.Backward(
                s.Normed, h, _attentionNorm.Value, a.AttentionRstd, s.Stream, _attentionNorm.Gradient);
        }
    }

    /// <summary>The first half, and the second half's norm.</summary>
    private void ForwardToMiddle(
        Tensor h, TokenBatch batch, BlockActivations a, LayerCache? cache, IStreamHook? hook = null)
    {
        _ops.RmsNorm.Forward(h, _attentionNorm.Value, _epsilon, a.AttentionIn, a.AttentionRstd);
        if (cache is null)
        {
            Attention.Forward(a.AttentionIn, batch, a.Attention, h, a.AttentionResidual);
        }
        else
        {
            Attention.ForwardCached(a.AttentionIn, batch, a.Attention, cache, h, a.AttentionResidual);
        }

        hook?.AfterAttention(_layer, a.AttentionResidual);
        _ops.RmsNorm.Forward(a.AttentionResidual, _feedForwardNorm.Value, _epsilon, a.FeedForwardIn, a.FeedForwardRstd);
    }
}
