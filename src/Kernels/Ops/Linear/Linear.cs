namespace SafeLlama.Kernels;

/// <summary>The matrix product of a layer, its weight stored [out, in] as checkpoints have it.</summary>
/// <remarks>
/// <code>
/// forward    y   = x Wᵀ + bias          y[n,o]   = Σ_i x[n,i] · W[o,i] + bias[o]
///            y   = x Wᵀ + bias + residual                                     where y is the residual stream
/// backward   dx (+)= dy W               dx[n,i]  = Σ_o dy[n,o] · W[o,i]
///            dW  += dyᵀ x               dW[o,i] += Σ_n dy[n,o] · x[n,i]       where the weight learns
///            dbias[o] += Σ_n dy[n,o]                                          where the bias learns
/// </code>
/// A frozen weight rests in the type it came in (bf16, fp16, fp32) and is widened as it is read.
/// </remarks>
public abstract class Linear
{
    /// <param name="x">[N, D_in].</param>
    /// <param name="weight">[D_out, D_in].</param>
    /// <param name="bias">[D_out], or null.</param>
    /// <param name="y">[N, D_out].</param>
    public void Forward(Tensor x, Tensor weight, Tensor? bias, Tensor y) => Forward(x, weight, bias, null, y);

    /// <param name="x">[N, D_in].</param>
    /// <param name="weight">[D_out, D_in].</param>
    /// <param name="bias">[D_out], or null.</param>
    /// <param name="residual">[N, D_out] of y's type and not y itself, or null.</param>
    /// <param name="y">[N, D_out].</param>
    public void Forward(Tensor x, Tensor weight, Tensor? bias, Tensor? residual, Tensor y)
    {
        Check(x, weight, bias, y);
        residual?.RequireMatrix(y.Rows, y.Columns, "one value per element of y");
        residual?.RequireType(y.Type, "y is the same stream, further on");
        ForwardCore(x, weight, bias, residual, y);
    }

    /// <summary>
    /// y, and what <see cref="SwiGlu"/> makes of it: product = silu(gate) · y. One after the other, or in one pass over
    /// y where a backend can; the numbers are the same.
    /// </summary>
    /// <param name="x">[N, D_in].</param>
    /// <param name="weight">[D_out, D_in].</param>
    /// <param name="bias">[D_out], or null.</param>
    /// <param name="swiGlu">The backend's gated activation.</param>
    /// <param name="gate">[N, D_out] of y's type.</param>
    /// <param name="y">[N, D_out].</param>
    /// <param name="product">[N, D_out] of y's type.</param>
    public void ForwardGated(
        Tensor x, Tensor weight, Tensor? bias, SwiGlu swiGlu, Tensor gate, Tensor y, Tensor product)
    {
        Check(x, weight, bias, y);
        gate.RequireMatrix(y.Rows, y.Columns, "one gate per element of y");
        gate.RequireType(y.Type, "gates are stored as y is");
        product.RequireMatrix(y.Rows, y.Columns, "one product per element of y");
        product.RequireType(y.Type, "products are stored as y is");
        ForwardGatedCore(x, weight, bias, swiGlu, gate, y, product);
    }

    /// <param name="dy">[N, D_out].</param>
    /// <param name="weight">[D_out, D_in].</param>
    /// <param name="dx">[N, D_in].</param>
    /// <param name="accumulate">Whether to add to dx, or to overwrite it where this is its first contribution.</param>
    public void BackwardInput(Tensor dy, Tensor weight, Tensor dx, bool accumulate)
    {
        dy.RequireMatrix(dx.Rows, weight.Rows, "one row per row of dx, one column per row of the weight");
        weight.RequireMatrix(weight.Rows, dx.Columns, "its columns are the columns of dx");
        BackwardInputCore(dy, weight, dx, accumulate);
    }

    /// <param name="dy">[N, D_out].</param>
    /// <param name="x">[N, D_in].</param>
    /// <param name="dweight">[D_out, D_in], added to.</param>
    /// <param name="dbias">[D_out], added to; null where there is none.</param>
    public void BackwardWeight(Tensor dy, Tensor x, Tensor dweight, Tensor? dbias)
    {
        dy.RequireMatrix(x.Rows, dweight.Rows, "one row per row of x, one column per row of dweight");
        dweight.RequireMatrix(dweight.Rows, x.Columns, "its columns are the columns of x");
        dbias?.RequireShape(new(dweight.Rows), "one value per row of dweight");
        BackwardWeightCore(dy, x, dweight, dbias);
    }

    protected abstract void ForwardCore(Tensor x, Tensor weight, Tensor? bias, Tensor? residual, Tensor y);

    protected virtual void ForwardGatedCore(
        Tensor x, Tensor weight, Tensor? bias, SwiGlu swiGlu, Tensor gate, Tensor y, Tensor product)
    {
        ForwardCore(x, weight, bias, null, y);
        swiGlu.Forward(gate, y, product);
    }

    protected abstract void BackwardInputCore(Tensor dy, Tensor weight, Tensor dx, bool accumulate);

    protected abstract void BackwardWeightCore(Tensor dy, Tensor x, Tensor dweight, Tensor? dbias);

    private static void Check(Tensor x, Tensor weight, Tensor? bias, Tensor y)
    {
        y.RequireMatrix(x.Rows, weight.Rows, "one row per row of x, one column per row of the weight");
        weight.RequireMatrix(weight.Rows, x.Columns, "its columns are the columns of x");
        bias?.RequireShape(new(weight.Rows), "one value per row of the weight");
    }
}
