using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>
/// A linear of the model, with or without a low-rank pair beside it: y = x Wᵀ + bias + residual + s · (x Aᵀ) Bᵀ.
/// </summary>
public sealed class LoraLinear(IBackend ops, Weight weight, Weight? bias, LoraFactors? pair)
{
    public LoraFactors? Pair => pair;

    /// <summary>[D_out, D_in].</summary>
    public Weight Weight => weight;

    /// <summary>Whether backward has a gradient to give here.</summary>
    public bool IsTrainable => pair is not null || weight.Gradient is not null;

    /// <param name="x">[N, D_in].</param>
    /// <param name="batch">Names the dropout of this micro-batch.</param>
    /// <param name="u">[N, r], x Aᵀ, kept for backward; null without a pair.</param>
    /// <param name="y">[N, D_out].</param>
    public void Forward(Tensor x, TokenBatch batch, Tensor? u, Tensor y) => Forward(x, batch, u, null, y);

    /// <param name="x">[N, D_in].</param>
    /// <param name="batch">Names the dropout of this micro-batch.</param>
    /// <param name="u">[N, r], x Aᵀ, kept for backward; null without a pair.</param>
    /// <param name="residual">[N, D_out] what the result is added to, or null.</param>
    /// <param name="y">[N, D_out].</param>
    public void Forward(Tensor x, TokenBatch batch, Tensor? u, Tensor? residual, Tensor y)
    {
        if (pair is null)
        {
            ops.Linear.Forward(x, weight.Value, bias?.Value, residual, y);
            return;
        }

        ops.LowRank.ForwardBeside(
            ops.Linear, x, weight.Value, bias?.Value, residual, pair.A.Value, pair.B.Value, pair.Scale, Dropout(batch),
            u!, y);
    }

    /// <summary>As <see cref="Forward(Tensor, TokenBatch, Tensor?, Tensor)"/>, and product = silu(gate) · y.</summary>
    /// <param name="x">[N, D_in].</param>
    /// <param name="batch">Names the dropout of this micro-batch.</param>
    /// <param name="u">[N, r], x Aᵀ, kept for backward; null without a pair.</param>
    /// <param name="gate">[N, D_out].</param>
    /// <param name="y">[N, D_out].</param>
    /// <param name="product">[N, D_out].</param>
    public void ForwardGated(Tensor x, TokenBatch batch, Tensor? u, Tensor gate, Tensor y, Tensor product)
    {
        if (pair is null)
        {
            ops.Linear.ForwardGated(x, weight.Value, bias?.Value, ops.SwiGlu, gate, y, product);
            return;
        }

        ops.LowRank.ForwardBesideGated(
            ops.Linear, x, weight.Value, bias?.Value, pair.A.Value, pair.B.Value, pair.Scale, Dropout(batch), u!,
            ops.SwiGlu, gate, y, product);
    }

    /// <param name="dy">[N, D_out].</param>
    /// <param name="x">[N, D_in] from forward.</param>
    /// <param name="batch">As in forward.</param>
    /// <param name="u">[N, r] from forward.</param>
    /// <param name="s">Scratch for du.</param>
    /// <param name="dx">[N, D_in]; null where nothing below learns.</param>
    /// <param name="accumulate">Whether to add to dx.</param>
    public void Backward(Tensor dy, Tensor x, TokenBatch batch, Tensor? u, Scratch s, Tensor? dx, bool accumulate)
    {
        if (weight.Gradient is { } gradient)
        {
            ops.Linear.BackwardWeight(dy, x, gradient, bias?.Gradient);
        }

        if (pair is not null)
        {
            ops.LowRank.BackwardBeside(
                ops.Linear, dy, x, weight.Value, pair.A.Value, pair.B.Value, pair.Scale, Dropout(batch), u!,
                s.LowRank(pair.Rank), pair.A.Gradient, pair.B.Gradient, dx, accumulate);
        }
        else if (dx is not null)
        {
            ops.Linear.BackwardInput(dy, weight.Value, dx, accumulate);
        }
    }

    private Dropout Dropout(TokenBatch batch) => batch.DropoutStream is { } stream && pair!.Dropout > 0
        ? new Dropout(pair.Dropout, stream.Fork(pair.Index))
        : Kernels.Dropout.None;
}
