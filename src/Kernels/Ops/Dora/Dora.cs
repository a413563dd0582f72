namespace SafeLlama.Kernels;

/// <summary>Magnitude and direction of a weight, apart: the part of DoRA that is not LoRA.</summary>
/// <remarks>
/// <code>
/// norm       norm[o] = ‖W[o] + s · B[o] A‖₂
/// forward    y[n,o]  = g[o] · z[n,o] + bias[o] + residual[n,o]          g[o] = magnitude[o] / norm[o]
/// backward   dz[n,o] = g[o] · dy[n,o]        dmagnitude[o] += Σ_n dy[n,o] · z[n,o] / norm[o]
/// where norm[o] = 0: g[o] = 0 and nothing is added to dmagnitude[o], since z[n,o] is zero
/// </code>
/// z = x Wᵀ + s · x Aᵀ Bᵀ is the product of <see cref="Linear"/> with its LoRA term. The norm is a constant for the
/// gradient, as section 4.3 of the paper has it: Liu et al. 2024, arXiv:2402.09353.
/// </remarks>
public abstract class Dora : Op
{
    /// <param name="weight">[D_out, D_in], as it is stored.</param>
    /// <param name="a">[r, D_in].</param>
    /// <param name="b">[D_out, r].</param>
    /// <param name="scale">s.</param>
    /// <param name="norm">[D_out], overwritten.</param>
    public void Norm(Tensor weight, Tensor a, Tensor b, double scale, Tensor norm)
    {
        a.RequireMatrix(a.Rows, weight.Columns, "its columns are the columns of the weight");
        b.RequireMatrix(weight.Rows, a.Rows, "one row per row of the weight, one column per rank");
        norm.RequireShape(new(weight.Rows), "one norm per row of the weight");
        Observer?.Started();
        NormCore(weight, a, b, scale, norm);
        Observer?.Finished(new("Dora norm", 2.0 * b.Rows * a.Rows * a.Columns, Bytes(weight, a, b, norm)));
    }

    /// <param name="z">[N, D_out].</param>
    /// <param name="magnitude">[D_out].</param>
    /// <param name="norm">[D_out].</param>
    /// <param name="bias">[D_out], added to every row; null where there is none.</param>
    /// <param name="residual">[N, D_out] of y's type and not y itself, added; null where there is none.</param>
    /// <param name="y">[N, D_out].</param>
    public void Forward(Tensor z, Tensor magnitude, Tensor norm, Tensor? bias, Tensor? residual, Tensor y)
    {
        Check(z, magnitude, norm);
        bias?.RequireShape(magnitude.Shape, "one value per column of z");
        residual?.RequireMatrix(z.Rows, z.Columns, "one value per element of z");
        residual?.RequireType(y.Type, "y is the same stream, further on");
        y.RequireMatrix(z.Rows, z.Columns, "one value per element of z");
        Observer?.Started();
        ForwardCore(z, magnitude, norm, bias, residual, y);
        Observer?.Finished(new("Dora forward", 0, Bytes(z, residual, y)));
    }

    /// <param name="dy">[N, D_out].</param>
    /// <param name="z">[N, D_out] from forward.</param>
    /// <param name="magnitude">[D_out].</param>
    /// <param name="norm">[D_out] from forward.</param>
    /// <param name="dz">[N, D_out], overwritten.</param>
    /// <param name="dmagnitude">[D_out], added to.</param>
    public void Backward(Tensor dy, Tensor z, Tensor magnitude, Tensor norm, Tensor dz, Tensor dmagnitude)
    {
        Check(z, magnitude, norm);
        dy.RequireMatrix(z.Rows, z.Columns, "one gradient per element of y");
        dz.RequireMatrix(z.Rows, z.Columns, "one gradient per element of z");
        dmagnitude.RequireShape(magnitude.Shape, "one gradient per magnitude");
        Observer?.Started();
        BackwardCore(dy, z, magnitude, norm, dz, dmagnitude);
        Observer?.Finished(new("Dora backward", 0, Bytes(dy, z, dz)));
    }

    protected abstract void NormCore(Tensor weight, Tensor a, Tensor b, double scale, Tensor norm);

    protected abstract void ForwardCore(
        Tensor z, Tensor magnitude, Tensor norm, Tensor? bias, Tensor? residual, Tensor y);

    protected abstract void BackwardCore(
        Tensor dy, Tensor z, Tensor magnitude, Tensor norm, Tensor dz, Tensor dmagnitude);

    private static void Check(Tensor z, Tensor magnitude, Tensor norm)
    {
        magnitude.RequireShape(new(z.Columns), "one magnitude per column of z");
        norm.RequireShape(magnitude.Shape, "one norm per magnitude");
    }
}
