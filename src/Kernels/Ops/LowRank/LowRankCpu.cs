namespace SafeLlama.Kernels;

/// <summary>The CPU path: what is r wide is computed chunk by chunk, what is D wide rides on the frozen product.</summary>
/// <remarks>
/// <code>
/// y  = x Wᵀ + u (s B)ᵀ  =  [x u] [W sB]ᵀ          dx = dy W + du A  =  [dy du] [W; A]
/// </code>
/// So y and dx, whose every element a pass of its own would read and write again, cost r more steps of a sum that is in
/// registers anyway. Under dropout du A is dropped as x was and cannot be part of the other sum.
/// </remarks>
internal sealed class LowRankCpu<TLanes>(TilePool pool) : LowRank
    where TLanes : struct, ILanes<TLanes>
{
    private readonly GemmDispatch _products = GemmDispatch.Create(pool);
    private readonly LowRankForward<TLanes, TLanes> _forward = new(pool);
    private readonly LowRankForward<TLanes, Lanes256> _forwardOfEight = new(pool);
    private readonly LowRankBackward<TLanes, TLanes> _backward = new(pool);
    private readonly LowRankBackward<TLanes, Lanes256> _backwardOfEight = new(pool);

    public override void ForwardBeside(
        Linear linear, Tensor x, Tensor weight, Tensor? bias, Tensor? residual, Tensor a, Tensor b, double scale,
        Dropout dropout, Tensor u, Tensor y)
    {
        var product = MatrixProduct.TimesTransposed(x, weight, y);
        if (bias is not null || !_products.Takes(product, more: a.Rows))
        {
            base.ForwardBeside(linear, x, weight, bias, residual, a, b, scale, dropout, u, y);
            return;
        }

        Down(x, a, dropout, u);
        product = residual is null ? product : product.AddedTo(residual);
        _products.Run(product, MatrixProduct.TimesTransposed(u, b, y) with { Scale = (float)scale });
    }

    public override void BackwardBeside(
        Linear linear, Tensor dy, Tensor x, Tensor weight, Tensor a, Tensor b, double scale, Dropout dropout, Tensor u,
        Tensor du, Tensor da, Tensor db, Tensor? dx, bool accumulate)
    {
        if (dx is null || dropout.IsActive || !_products.Takes(MatrixProduct.Times(dy, weight, dx), more: a.Rows))
        {
            base.BackwardBeside(linear, dy, x, weight, a, b, scale, dropout, u, du, da, db, dx, accumulate);
            return;
        }

        Backward(dy, x, a, b, scale, dropout, u, du, da, db, dx: null);
        var product = MatrixProduct.Times(dy, weight, dx);
        _products.Run(accumulate ? product.Added : product, MatrixProduct.Times(du, a, dx));
    }

    protected override void ForwardCore(Tensor x, Tensor a, Tensor b, double scale, Dropout dropout, Tensor u, Tensor y)
    {
        Down(x, a, dropout, u);
        _products.Run(MatrixProduct.TimesTransposed(u, b, y).Added with { Scale = (float)scale });
    }

    protected override void BackwardCore(
        Tensor dy, Tensor x, Tensor a, Tensor b, double scale, Dropout dropout, Tensor u, Tensor du, Tensor da,
        Tensor db, Tensor? dx)
    {
        var dropped = dropout.IsActive ? dx : null;
        if (FillsEight(a.Rows))
        {
            _backwardOfEight.Run(dy, x, a, b, (float)scale, dropout, u, du, da, db, dropped);
        }
        else
        {
            _backward.Run(dy, x, a, b, (float)scale, dropout, u, du, da, db, dropped);
        }

        if (dx is not null && dropped is null)
        {
            _products.Run(MatrixProduct.Times(du, a, dx).Added);
        }
    }

    /// <summary>Whether vectors of sixteen would be half empty.</summary>
    private static bool FillsEight(int rank) => TLanes.Count > Lanes256.Count && rank <= Lanes256.Count;

    /// <summary>u = drop(x) Aᵀ.</summary>
    private void Down(Tensor x, Tensor a, Dropout dropout, Tensor u)
    {
        // Few rows are not worth packing A for.
        if (x.Rows < LowRankChunk<TLanes, TLanes>.TallestTile && !dropout.IsActive)
        {
            _products.Run(MatrixProduct.TimesTransposed(x, a, u));
        }
        else if (FillsEight(a.Rows))
        {
            _forwardOfEight.Run(x, a, dropout, u);
        }
        else
        {
            _forward.Run(x, a, dropout, u);
        }
    }
}
