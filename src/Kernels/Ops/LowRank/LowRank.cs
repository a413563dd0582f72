namespace SafeLlama.Kernels;

/// <summary>LoRA's low-rank update beside a frozen product: the heart of the project, in four lines.</summary>
/// <remarks>
/// <code>
/// forward    u   = drop(x) Aᵀ           y  += s · u Bᵀ          s = α / r;  A [r, D_in], B [D_out, r]
/// backward   du  = s · dy B             dB += s · dyᵀ u
///            dA += duᵀ drop(x)          dx += drop′(du A)
/// </code>
/// Hu et al. 2021, arXiv:2106.09685. At B = 0, where training begins, y is untouched and dA is zero.
/// </remarks>
public abstract class LowRank
{
    /// <param name="x">[N, D_in].</param>
    /// <param name="a">[r, D_in].</param>
    /// <param name="b">[D_out, r].</param>
    /// <param name="scale">s = α / r, or α / √r for rsLoRA.</param>
    /// <param name="dropout">Applied to x, for this branch alone.</param>
    /// <param name="u">[N, r], kept for backward.</param>
    /// <param name="y">[N, D_out], added to.</param>
    public void Forward(Tensor x, Tensor a, Tensor b, double scale, Dropout dropout, Tensor u, Tensor y)
    {
        Check(x, a, b, u);
        y.RequireMatrix(x.Rows, b.Rows, "one row per row of x, one column per row of B");
        ForwardCore(x, a, b, scale, dropout, u, y);
    }

    /// <param name="dy">[N, D_out].</param>
    /// <param name="x">[N, D_in].</param>
    /// <param name="a">[r, D_in].</param>
    /// <param name="b">[D_out, r].</param>
    /// <param name="scale">As in forward.</param>
    /// <param name="dropout">As in forward.</param>
    /// <param name="u">[N, r] from forward.</param>
    /// <param name="du">[N, r] scratch, overwritten.</param>
    /// <param name="da">[r, D_in], added to.</param>
    /// <param name="db">[D_out, r], added to.</param>
    /// <param name="dx">[N, D_in], added to; null where nothing below learns.</param>
    public void Backward(
        Tensor dy, Tensor x, Tensor a, Tensor b, double scale, Dropout dropout, Tensor u, Tensor du, Tensor da,
        Tensor db, Tensor? dx)
    {
        Check(x, a, b, u);
        dy.RequireMatrix(x.Rows, b.Rows, "one gradient per element of y");
        du.RequireShape(u.Shape, "one gradient per element of u");
        da.RequireShape(a.Shape, "one gradient per element of A");
        db.RequireShape(b.Shape, "one gradient per element of B");
        dx?.RequireMatrix(x.Rows, x.Columns, "one gradient per element of x");
        BackwardCore(dy, x, a, b, scale, dropout, u, du, da, db, dx);
    }

    /// <summary>
    /// The frozen product and the pair beside it, y = x Wᵀ + bias + residual + s · drop(x) Aᵀ Bᵀ: one after the other,
    /// or in one pass over y where a backend can.
    /// </summary>
    /// <param name="linear">The backend's product.</param>
    /// <param name="weight">[D_out, D_in], frozen.</param>
    /// <param name="bias">[D_out], or null.</param>
    /// <param name="residual">[N, D_out] as <see cref="Linear"/> takes it, or null.</param>
    /// <param name="y">[N, D_out], overwritten.</param>
    public virtual void ForwardBeside(
        Linear linear, Tensor x, Tensor weight, Tensor? bias, Tensor? residual, Tensor a, Tensor b, double scale,
        Dropout dropout, Tensor u, Tensor y)
    {
        linear.Forward(x, weight, bias, residual, y);
        Forward(x, a, b, scale, dropout, u, y);
    }

    /// <summary><see cref="ForwardBeside"/>, and product = silu(gate) · y as <see cref="SwiGlu"/> makes it.</summary>
    /// <param name="swiGlu">The backend's gated activation.</param>
    /// <param name="gate">[N, D_out] of y's type.</param>
    /// <param name="y">[N, D_out], overwritten.</param>
    /// <param name="product">[N, D_out] of y's type, overwritten.</param>
    public virtual void ForwardBesideGated(
        Linear linear, Tensor x, Tensor weight, Tensor? bias, Tensor a, Tensor b, double scale, Dropout dropout,
        Tensor u, SwiGlu swiGlu, Tensor gate, Tensor y, Tensor product)
    {
        ForwardBeside(linear, x, weight, bias, null, a, b, scale, dropout, u, y);
        swiGlu.Forward(gate, y, product);
    }

    /// <summary>
    /// Backward of <see cref="ForwardBeside"/> for the pair and for x; the frozen weight has no gradient.
    /// </summary>
    /// <param name="dx">[N, D_in]; null where nothing below learns.</param>
    /// <param name="accumulate">Whether to add to dx, or to overwrite it.</param>
    public virtual void BackwardBeside(
        Linear linear, Tensor dy, Tensor x, Tensor weight, Tensor a, Tensor b, double scale, Dropout dropout, Tensor u,
        Tensor du, Tensor da, Tensor db, Tensor? dx, bool accumulate)
    {
        if (dx is not null)
        {
            linear.BackwardInput(dy, weight, dx, accumulate);
        }

        Backward(dy, x, a, b, scale, dropout, u, du, da, db, dx);
    }

    protected abstract void ForwardCore(
        Tensor x, Tensor a, Tensor b, double scale, Dropout dropout, Tensor u, Tensor y);

    protected abstract void BackwardCore(
        Tensor dy, Tensor x, Tensor a, Tensor b, double scale, Dropout dropout, Tensor u, Tensor du, Tensor da,
        Tensor db, Tensor? dx);

    private static void Check(Tensor x, Tensor a, Tensor b, Tensor u)
    {
        a.RequireMatrix(a.Rows, x.Columns, "its columns are the columns of x");
        b.RequireMatrix(b.Rows, a.Rows, "its columns are the rows of A, the rank");
        u.RequireMatrix(x.Rows, a.Rows, "one row per row of x, one column per rank");
    }
}
