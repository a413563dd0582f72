namespace SafeLlama.Kernels;

/// <summary>The Gaussian error linear unit, in its exact form.</summary>
/// <remarks>
/// <code>
/// forward    y[n,i]  = x[n,i] · Φ(x[n,i])                       Φ(x) = ½ (1 + erf(x / √2))
/// backward   dx[n,i] = dy[n,i] · (Φ(x[n,i]) + x[n,i] · φ(x[n,i]))        φ(x) = e^(−x²/2) / √(2π)
/// </code>
/// Hendrycks and Gimpel 2016, arXiv:1606.08415. The hyperbolic tangent that some models use differs by up to 5e-4.
/// </remarks>
public abstract class Gelu : Op
{
    /// <param name="x">[N, D].</param>
    /// <param name="y">[N, D], which may be x.</param>
    public void Forward(Tensor x, Tensor y)
    {
        y.RequireShape(x.Shape, "one value per element of x");
        Observer?.Started();
        ForwardCore(x, y);
        Observer?.Finished(new("Gelu forward", 0, Bytes(x, y)));
    }

    /// <param name="dy">[N, D] gradient of the result.</param>
    /// <param name="x">[N, D] what forward read.</param>
    /// <param name="dx">[N, D] gradient of the input, overwritten; may be dy.</param>
    public void Backward(Tensor dy, Tensor x, Tensor dx)
    {
        dy.RequireShape(x.Shape, "one gradient per element of y");
        dx.RequireShape(x.Shape, "one gradient per element of x");
        Observer?.Started();
        BackwardCore(dy, x, dx);
        Observer?.Finished(new("Gelu backward", 0, Bytes(dy, x, dx)));
    }

    protected abstract void ForwardCore(Tensor x, Tensor y);

    protected abstract void BackwardCore(Tensor dy, Tensor x, Tensor dx);
}
