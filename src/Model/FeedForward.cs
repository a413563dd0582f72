using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>The feed-forward layer, each position on its own: down(silu(gate(x)) · up(x)).</summary>
public sealed class FeedForward
{
    private readonly IBackend _ops;

    internal FeedForward(IBackend ops, Func<string, LoraLinear> linear)
    {
        _ops = ops;
        (Gate, Up, Down) = (linear("gate_proj"), linear("up_proj"), linear("down_proj"));
    }

    public LoraLinear Gate { get; }

    public LoraLinear Up { get; }

    public LoraLinear Down { get; }

    /// <summary>Whether a linear that reads this layer's input learns.</summary>
    public bool IsInputTrainable => Gate.IsTrainable || Up.IsTrainable;

    /// <param name="x">[N, D] normalized input.</param>
    /// <param name="batch">Names the dropout.</param>
    /// <param name="a">Kept for backward.</param>
    /// <param name="residual">[N, D] what the result is added to.</param>
    /// <param name="output">[N, D].</param>
    public void Forward(Tensor x, TokenBatch batch, FeedForwardActivations a, Tensor residual, Tensor output)
    {
        UpProject(x, batch, a);
        Down.Forward(a.Product, batch, a.DownLora, new(Residual: residual), output);
    }

    /// <summary>
    /// As <see cref="Forward"/>, but only for what backward reads: it skips the product with down where down has no
    /// adapter.
    /// </summary>
    /// <param name="output">[N, D] the output of forward; recomputed or unchanged.</param>
    public void Recompute(Tensor x, TokenBatch batch, FeedForwardActivations a, Tensor residual, Tensor output)
    {
        UpProject(x, batch, a);
        if (Down.Factors is not null)
        {
            Down.Forward(a.Product, batch, a.DownLora, new(Residual: residual), output);
        }
    }

    /// <param name="d">[N, D] ∂loss/∂output; the residual's gradient is d itself.</param>
    /// <param name="x">[N, D] from forward.</param>
    /// <param name="batch">As in forward.</param>
    /// <param name="a">From forward.</param>
    /// <param name="s">Scratch.</param>
    /// <param name="dx">[N, D], overwritten.</param>
    public void Backward(Tensor d, Tensor x, TokenBatch batch, FeedForwardActivations a, Scratch s, Tensor dx)
    {
        Down.Backward(
            d, a.Product, batch, a.DownLora, s.Lora, s.Product, accumulate: false, new(a.Gate, a.Up, s.Gate, s.Up));
        Up.Backward(s.Up, x, batch, a.UpLora, s.Lora, dx, accumulate: false);
        Gate.Backward(s.Gate, x, batch, a.GateLora, s.Lora, dx, accumulate: true);
    }

    private void UpProject(Tensor x, TokenBatch batch, FeedForwardActivations a)
    {
        Gate.Forward(x, batch, a.GateLora, a.Gate);
        Up.Forward(x, batch, a.UpLora, new(Gate: a.Gate, Gated: a.Product), a.Up);
    }
}
