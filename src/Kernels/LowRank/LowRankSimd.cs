namespace SafeLlama.Kernels;

/// <summary>The CPU path: chunks of rows pass all products of the branch while they are in cache.</summary>
/// <remarks>
/// A row of x or dy is read from memory once, where four whole products would read it four times: with so little
/// arithmetic to an element, that is what the branch costs. Dropped values exist for one chunk at a time.
/// </remarks>
internal sealed class LowRankSimd<TLanes>(TilePool pool) : LowRank
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>Fewer rows than this are not worth packing A and B for.</summary>
    private const int LeastRows = 16;

    private readonly Products _products = Products.Create(pool);
    private readonly LowRankForward<TLanes, TLanes> _forward = new(pool);
    private readonly LowRankForward<TLanes, Lanes256> _forwardOfEight = new(pool);
    private readonly LowRankBackward<TLanes, TLanes> _backward = new(pool);
    private readonly LowRankBackward<TLanes, Lanes256> _backwardOfEight = new(pool);

    protected override void ForwardCore(Tensor x, Tensor a, Tensor b, double scale, Dropout dropout, Tensor u, Tensor y)
    {
        if (x.Rows < LeastRows && !dropout.IsActive)
        {
            _products.Run(MatrixProduct.TimesTransposed(x, a, u));
            _products.Run(MatrixProduct.TimesTransposed(u, b, y) with { Scale = (float)scale, Add = true });
        }
        else if (FillsEight(a.Rows))
        {
            _forwardOfEight.Run(x, a, b, (float)scale, dropout, u, y);
        }
        else
        {
            _forward.Run(x, a, b, (float)scale, dropout, u, y);
        }
    }

    protected override void BackwardCore(
        Tensor dy, Tensor x, Tensor a, Tensor b, double scale, Dropout dropout, Tensor u, Tensor du, Tensor da,
        Tensor db, Tensor? dx)
    {
        if (FillsEight(a.Rows))
        {
            _backwardOfEight.Run(dy, x, a, b, (float)scale, dropout, u, du, da, db, dx);
        }
        else
        {
            _backward.Run(dy, x, a, b, (float)scale, dropout, u, du, da, db, dx);
        }
    }

    /// <summary>Whether vectors of sixteen would be half empty.</summary>
    private static bool FillsEight(int rank) => TLanes.Count > Lanes256.Count && rank <= Lanes256.Count;
}
