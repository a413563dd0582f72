using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>A linear of the model, with or without a LoRA adapter beside it.</summary>
/// <remarks>
/// What the update means, forward, backward and merged, is its variant's: <see cref="PlainLora"/>, <see
/// cref="DoraLora"/>, <see cref="PissaLora"/>.
/// </remarks>
/// <param name="factors">The update; null where no adapter stands beside this linear.</param>
public sealed class LoraLinear(IBackend ops, Weight weight, Weight? bias, LoraFactors? factors)
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
        if (factors is null)
        {
            ops.Linear.Forward(x, weight.Value, null, whole, y);
        }
        else
        {
            factors.Forward(new(ops, weight.Value, bias?.Value, batch), x, kept!, whole, y);
        }
    }

    /// <param name="dy">[N, D_out].</param>
    /// <param name="x">[N, D_in] from forward.</param>
    /// <param name="batch">As in forward.</param>
    /// <param name="kept">From forward.</param>
    /// <param name="s">Scratch.</param>
    /// <param name="dx">[N, D_in]; null where nothing below is trained.</param>
    /// <param name="accumulate">Whether to add to dx.</param>
    public void Backward(
        Tensor dy, Tensor x, TokenBatch batch, LoraActivations? kept, LoraScratch s, Tensor? dx, bool accumulate)
    {
        if (weight.Gradient is { } gradient)
        {
            ops.Linear.BackwardWeight(dy, x, gradient, bias?.Gradient);
        }

        if (factors is not null)
        {
            factors.Backward(new(ops, weight.Value, bias?.Value, batch), dy, x, kept!, s, dx, accumulate);
        }
        else if (dx is not null)
        {
            ops.Linear.BackwardInput(dy, weight.Value, dx, accumulate);
        }
    }
}
