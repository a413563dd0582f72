namespace SafeLlama.Kernels;

/// <summary>The equation as fp64 loops.</summary>
public sealed class EmbeddingReference : Embedding
{
    protected override void ForwardCore(Tensor tokens, Tensor weight, Tensor y)
    {
        var (ts, ws, ys) = (tokens.AsElements<int>(), weight.AsDoubles(), y.AsRows<double>());
        for (var n = 0; n < y.Rows; n++)
        {
            ws[ts[n]].CopyTo(ys[n]);
        }
    }

    protected override void BackwardCore(Tensor dy, Tensor tokens, Tensor dweight)
    {
        var (dys, ts, dws) = (dy.AsDoubles(), tokens.AsElements<int>(), dweight.AsRows<double>());
        for (var n = 0; n < dy.Rows; n++)
        {
            LinearReference.AddScaled(1, dys[n], dws[ts[n]]);
        }
    }
}
