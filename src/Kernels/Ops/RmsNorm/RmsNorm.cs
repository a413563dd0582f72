namespace SafeLlama.Kernels;

/// <summary>Root-mean-square normalization of each row, scaled by a learned weight.</summary>
/// <remarks>
/// <code>
/// forward    rstd[n]      = 1 / sqrt(mean_i(x[n,i]²) + ε)
///            y[n,i]       = weight[i] · x[n,i] · rstd[n]
/// backward   g[n,i]       = dy[n,i] · weight[i]
///            dx[n,i]     += rstd[n] · (g[n,i] − x[n,i] · rstd[n]² · mean_j(g[n,j] · x[n,j]))
///            dweight[i]  += Σ_n dy[n,i] · x[n,i] · rstd[n]          where the weight learns
/// </code>
/// Zhang and Sennrich 2019, arXiv:1910.07467. Under LoRA the weight is frozen and has no gradient.
/// </remarks>
public abstract class RmsNorm : Op
{
    /// <param name="x">[N, D] input rows.</param>
    /// <param name="weight">[D] scale.</param>
    /// <param name="epsilon">Added to the mean square before the root.</param>
    /// <param name="y">[N, D] result.</param>
    /// <param name="rstd">[N] reciprocal root mean square, kept for backward.</param>
    public void Forward(Tensor x, Tensor weight, double epsilon, Tensor y, Tensor rstd)
    {
        Check(x, weight, rstd);
        y.RequireShape(x.Shape, "y is x, normalized");
        Observer?.Started();
        ForwardCore(x, weight, epsilon, y, rstd);
        Observer?.Finished(new("RmsNorm forward", 0, Bytes(x, y)));
    }

    /// <param name="dy">[N, D] gradient of the result.</param>
    /// <param name="x">[N, D] what forward read.</param>
    /// <param name="weight">[D] scale.</param>
    /// <param name="rstd">[N] from forward.</param>
    /// <param name="dx">[N, D] gradient of the input, added to.</param>
    /// <param name="dweight">[D] gradient of the scale, added to; null where it is frozen.</param>
    public void Backward(Tensor dy, Tensor x, Tensor weight, Tensor rstd, Tensor dx, Tensor? dweight)
    {
        Check(x, weight, rstd);
        dy.RequireShape(x.Shape, "one gradient per element of y");
        dx.RequireShape(x.Shape, "one gradient per element of x");
        dweight?.RequireShape(weight.Shape, "one gradient per scale");
        Observer?.Started();
        BackwardCore(dy, x, weight, rstd, dx, dweight);
        Observer?.Finished(new("RmsNorm backward", 0, Bytes(dy, x, dx, dx)));
    }

    protected abstract void ForwardCore(Tensor x, Tensor weight, double epsilon, Tensor y, Tensor rstd);

    protected abstract void BackwardCore(Tensor dy, Tensor x, Tensor weight, Tensor rstd, Tensor dx, Tensor? dweight);

    private static void Check(Tensor x, Tensor weight, Tensor rstd)
    {
        var (rows, dim) = x.Shape.AsMatrix();
        weight.RequireShape(new(dim), "one scale per column of x");
        rstd.RequireShape(new(rows), "one value per row of x");
    }
}
