using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>A linear of the model, with or without a LoRA adapter beside it.</summary>
/// <remarks>
/// What the update means, forward, backward and merged, is its variant's: <see cref="PlainLora"/>, <see
/// cref="DoraLora"/>, <see cref="PissaLora"/>.
/// </remarks>
/// <param name="factors">The update; null where no adapter stands beside this linear.</param>
/// <param name="choices">For each adapter that rows may choose, its update, or null; empty outside of serving.</param>
public sealed class LoraLinear(
    IBackend ops, Weight weight, Weight? bias, LoraFactors? factors, IReadOnlyList<LoraFactors?>? choices = null)
{
    public LoraFactors? Factors => factors;

    /// <summary>[D_out, D_in].</summary>
    public Weight Weight => weight;

    /// <summary>Whether backward has a gradient to give here.</summary>
    public bool IsTrainable => factors is not null || weight.Gradient is not null;

    /// <param name="x">[N, D_in].</param>
    /// <param name="batch">Names the dropout of this micro-batch.</param>
    /// <param name="kept">What backward will ask for; null without an adapter.</param>
    /// <param name="y">[N, D_out].</param>
    public void Forward(Tensor x, TokenBatch batch, LoraActivations? kept, Tensor y) =>
        Forward(x, batch, kept, default, y);

    /// <param name="x">[N, D_in].</param>
    /// <param name="batch">Names the dropout of this micro-batch.</param>
    /// <param name="kept">What backward will ask for; null without an adapter.</param>
    /// <param name="end">A residual that y is added to, or a gate; the bias is this linear's own.</param>
    /// <param name="y">[N, D_out].</param>
    public void Forward(Tensor x, TokenBatch batch, LoraActivations? kept, in Epilogue end, Tensor y)
    {
        var whole = end with { Bias = bias?.Value };
        if (batch.Chosen is { } chosen)
        {
            ForwardChosen(x, batch, chosen, whole, y);
            return;
        }

        Forward(factors, batch, x, kept, whole, y);
    }

    /// <param name="dy">[N, D_out].</param>
    /// <param name="x">[N, D_in] from forward.</param>
    /// <param name="batch">As in forward.</param>
    /// <param name="kept">From forward.</param>
    /// <param name="s">Scratch.</param>
    /// <param name="dx">[N, D_in]; null where nothing below is trained.</param>
    /// <param name="accumulate">Whether to add to dx.</param>
    /// <param name="gated">Where x is a gated product: what its gradient, dx, goes on to.</param>
    public void Backward(
        Tensor dy, Tensor x, TokenBatch batch, LoraActivations? kept, LoraScratch s, Tensor? dx, bool accumulate,
        in GatedProduct? gated = null)
    {
        if (weight.Gradient is { } gradient)
        {
            ops.Linear.BackwardWeight(dy, x, gradient, bias?.Gradient);
        }

        if (factors is not null)
        {
            factors.Backward(new(ops, weight.Value, batch), dy, x, kept!, s, dx, new(accumulate, gated));
        }
        else if (dx is not null)
        {
            ops.Linear.BackwardInput(dy, weight.Value, dx, accumulate, gated);
        }
    }

    private void Forward(
        LoraFactors? update, TokenBatch batch, Tensor x, LoraActivations? kept, in Epilogue end, Tensor y)
    {
        if (update is null)
        {
            ops.Linear.Forward(x, weight.Value, null, end, y);
        }
        else
        {
            update.Forward(new(ops, weight.Value, batch), x, kept!, end, y);
        }
    }

    /// <summary>
    /// One product with the weight for all rows, and each adapter's update for the rows that chose it.
    /// </summary>
    private void ForwardChosen(Tensor x, TokenBatch batch, ChosenAdapters chosen, in Epilogue end, Tensor y)
    {
        if (chosen.Ranges is [var only] && only.Count == x.Rows)
        {
            // All rows alike: the very product that a model with this adapter alone computes.
            var update = Choice(only);
            Forward(update, batch, x, update is null ? null : chosen.Kept(update, only.Count), end, y);
            return;
        }

        ops.Linear.Forward(x, weight.Value, null, end.Ungated, y);
        foreach (var range in chosen.Ranges)
        {
            if (Choice(range) is { } update)
            {
                Tensor Rows(Tensor of) => of.Slice(range.First, range.Count);
                var ungated = end.Ungated with { Residual = end.Residual is null ? null : Rows(end.Residual) };
                update.ForwardOver(
                    new(ops, weight.Value, batch), Rows(x), chosen.Kept(update, range.Count), ungated, Rows(y));
            }
        }

        if (end.Gate is not null)
        {
            ops.SwiGlu.Forward(end.Gate, y, end.Gated!);
        }
    }

    private LoraFactors? Choice(AdapterRange range) => range.Adapter >= 0 ? choices?[range.Adapter] : null;
}
