using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>
/// A linear of the model, with or without a LoRA adapter: y = x Wᵀ + s · (x Aᵀ) Bᵀ + bias + residual.
/// </summary>
/// <remarks>
/// All that LoRA means for one linear is here: forward, backward, and the merged weight. A variant of LoRA is another
/// such class.
/// </remarks>
/// <param name="factors">A and B; null where no adapter stands beside this linear.</param>
/// <param name="choices">For each adapter that rows may choose, its A and B, or null; empty outside of serving.</param>
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
    /// <param name="u">[N, r], x Aᵀ, kept for backward; null without an adapter.</param>
    /// <param name="y">[N, D_out].</param>
    public void Forward(Tensor x, TokenBatch batch, Tensor? u, Tensor y) => Forward(x, batch, u, default, y);

    /// <param name="x">[N, D_in].</param>
    /// <param name="batch">Names the dropout of this micro-batch.</param>
    /// <param name="u">[N, r], x Aᵀ, kept for backward; null without an adapter.</param>
    /// <param name="end">A residual that y is added to, or a gate; the bias is this linear's own.</param>
    /// <param name="y">[N, D_out].</param>
    public void Forward(Tensor x, TokenBatch batch, Tensor? u, in Epilogue end, Tensor y)
    {
        var whole = end with { Bias = bias?.Value };
        if (batch.Chosen is { } chosen)
        {
            ForwardChosen(x, chosen, whole, y);
            return;
        }

        ops.Linear.Forward(x, weight.Value, factors is null ? null : Term(factors, batch, u!), whole, y);
    }

    /// <param name="dy">[N, D_out].</param>
    /// <param name="x">[N, D_in] from forward.</param>
    /// <param name="batch">As in forward.</param>
    /// <param name="u">[N, r] from forward.</param>
    /// <param name="s">Scratch for du.</param>
    /// <param name="dx">[N, D_in]; null where nothing below is trained.</param>
    /// <param name="accumulate">Whether to add to dx.</param>
    public void Backward(Tensor dy, Tensor x, TokenBatch batch, Tensor? u, LoraScratch s, Tensor? dx, bool accumulate)
    {
        if (weight.Gradient is { } gradient)
        {
            ops.Linear.BackwardWeight(dy, x, gradient, bias?.Gradient);
        }

        if (factors is not null)
        {
            var into = new LoraGradients(s.U(factors.Rank), factors.A.Gradient, factors.B.Gradient);
            ops.Linear.BackwardLora(dy, x, weight.Value, Term(factors, batch, u!), into, dx, accumulate);
        }
        else if (dx is not null)
        {
            ops.Linear.BackwardInput(dy, weight.Value, dx, accumulate);
        }
    }

    /// <summary>What merges an adapter as it is now: W + s · B A, in fp64; rounding is left to the caller.</summary>
    /// <returns>Takes the first row and rows of W from there on, [rows, D_in], and adds to them in place.</returns>
    public static Action<int, double[]> Merger(LoraFactors f)
    {
        var (a, b, columns) = (f.A.Value.ReadDoubles(), f.B.Value.ReadDoubles(), f.A.Value.Columns);
        return (first, rows) =>
        {
            for (var o = 0; o < rows.Length / columns; o++)
            {
                for (var k = 0; k < f.Rank; k++)
                {
                    var factor = f.Scale * b[((first + o) * f.Rank) + k];
                    for (var i = 0; i < columns; i++)
                    {
                        rows[(o * columns) + i] += factor * a[(k * columns) + i];
                    }
                }
            }
        };
    }

    /// <summary>One product with the weight for all rows, and each adapter's term for the rows that chose it.</summary>
    private void ForwardChosen(Tensor x, ChosenAdapters chosen, in Epilogue end, Tensor y)
    {
        if (chosen.Ranges is [var only] && only.Count == x.Rows)
        {
            // All rows alike: the very product that a model with this adapter alone computes.
            ops.Linear.Forward(x, weight.Value, Term(only, chosen), end, y);
            return;
        }

        ops.Linear.Forward(x, weight.Value, null, end.Ungated, y);
        foreach (var range in chosen.Ranges)
        {
            if (Term(range, chosen) is { } term)
            {
                ops.Linear.AddLora(x.Slice(range.First, range.Count), term, y.Slice(range.First, range.Count));
            }
        }

        if (end.Gate is not null)
        {
            ops.SwiGlu.Forward(end.Gate, y, end.Gated!);
        }
    }

    private LoraTerm? Term(AdapterRange range, ChosenAdapters chosen) =>
        range.Adapter >= 0 && choices?[range.Adapter] is { } f
            ? new LoraTerm(f.A.Value, f.B.Value, f.Scale, Kernels.Dropout.None, chosen.U(f.Rank, range.Count))
            : null;

    private static LoraTerm Term(LoraFactors f, TokenBatch batch, Tensor u) =>
        new(f.A.Value, f.B.Value, f.Scale, Dropout(f, batch), u);

    private static Dropout Dropout(LoraFactors f, TokenBatch batch) =>
        batch.DropoutStream is { } stream && f.Dropout > 0
            ? new Dropout(f.Dropout, stream.Fork(f.Index))
            : Kernels.Dropout.None;
}
