namespace SafeLlama.Kernels;

/// <summary>Each row shifted to mean 0 and scaled to variance 1, then scaled and shifted by learned numbers.</summary>
/// <remarks>
/// <code>
/// forward    mean[n]      = mean_i(x[n,i])          rstd[n] = 1 / sqrt(mean_i((x[n,i] − mean[n])²) + ε)
///            y[n,i]       = weight[i] · x̂[n,i] + bias[i]            x̂[n,i] = (x[n,i] − mean[n]) · rstd[n]
/// backward   g[n,i]       = dy[n,i] · weight[i]
///            dx[n,i]     += rstd[n] · (g[n,i] − mean_j(g[n,j]) − x̂[n,i] · mean_j(g[n,j] · x̂[n,j]))
///            dweight[i]  += Σ_n dy[n,i] · x̂[n,i]          dbias[i] += Σ_n dy[n,i]          where they learn
/// </code>
/// Ba, Kiros and Hinton 2016, arXiv:1607.06450.
/// </remarks>
public abstract class LayerNorm : Op
{
    /// <param name="x">[N, D] input rows.</param>
    /// <param name="weight">[D] scale.</param>
    /// <param name="bias">[D] shift.</param>
    /// <param name="epsilon">Added to the variance before the root.</param>
    /// <param name="y">[N, D] result.</param>
    /// <param name="mean">[N] kept for backward.</param>
    /// <param name="rstd">[N] reciprocal standard deviation, kept for backward.</param>
    public void Forward(
        Tensor x, Tensor weight, Tensor bias, double epsilon, Tensor y, Tensor mean, Tensor rstd)
    {
        Check(x, weight, mean, rstd);
        bias.RequireShape(weight.Shape, "one shift per column of x");
        y.RequireShape(x.Shape, "y is x, normalized");
        Observer?.Started();
        ForwardCore(x, weight, bias, epsilon, y, mean, rstd);
        Observer?.Finished(new("LayerNorm forward", 0, Bytes(x, y)));
    }

    /// <param name="dy">[N, D] gradient of the result.</param>
    /// <param name="x">[N, D] what forward read.</param>
    /// <param name="weight">[D] scale.</param>
    /// <param name="mean">[N] from forward.</param>
    /// <param name="rstd">[N] from forward.</param>
    /// <param name="dx">[N, D] gradient of the input, added to.</param>
    /// <param name="dweight">[D] gradient of the scale, added to; null where it is frozen.</param>
    /// <param name="dbias">[D] gradient of the shift, added to; null where the scale's is.</param>
    public void Backward(
        Tensor dy, Tensor x, Tensor weight, Tensor mean, Tensor rstd, Tensor dx, Tensor? dweight, Tensor? dbias)
    {
        Check(x, weight, mean, rstd);
        dy.RequireShape(x.Shape, "one gradient per element of y");
        dx.RequireShape(x.Shape, "one gradient per element of x");
        dweight?.RequireShape(weight.Shape, "one gradient per scale");
        dbias?.RequireShape(weight.Shape, "one gradient per shift");
        if (dweight is null != dbias is null)
        {
            throw new ArgumentException("LayerNorm: scale and shift learn together, or neither does.");
        }

        Observer?.Started();
        BackwardCore(dy, x, weight, mean, rstd, dx, dweight, dbias);
        Observer?.Finished(new("LayerNorm backward", 0, Bytes(dy, x, dx, dx)));
    }

    protected abstract void ForwardCore(
        Tensor x, Tensor weight, Tensor bias, double epsilon, Tensor y, Tensor mean, Tensor rstd);

    protected abstract void BackwardCore(
        Tensor dy, Tensor x, Tensor weight, Tensor mean, Tensor rstd, Tensor dx, Tensor? dweight, Tensor? dbias);

    private static void Check(Tensor x, Tensor weight, Tensor mean, Tensor rstd)
    {
        var (rows, dim) = x.Shape.AsMatrix();
        weight.RequireShape(new(dim), "one scale per column of x");
        mean.RequireShape(new(rows), "one value per row of x");
        rstd.RequireShape(new(rows), "one value per row of x");
    }
}
