namespace SafeLlama.Kernels;

/// <summary>The CPU path: every form of the product is one <see cref="MatrixProduct"/> with its own strides.</summary>
public sealed unsafe class LinearCpu(TilePool pool) : Linear
{
    /// <summary>Columns of dbias that one tile sums: a line of every row, several times over.</summary>
    private const int BiasColumns = 256;

    private readonly GemmDispatch _products = GemmDispatch.Create(pool);

    protected override void ForwardCore(Tensor x, Tensor weight, Tensor? bias, Tensor? residual, Tensor y)
    {
        var product = MatrixProduct.TimesTransposed(x, weight, y);
        if (bias is not null)
        {
            FillWithBias(bias, residual, y);
            product = product.Added;
        }
        else if (residual is not null)
        {
            product = product.AddedTo(residual);
        }

        _products.Run(product);
    }

    protected override void BackwardInputCore(Tensor dy, Tensor weight, Tensor dx, bool accumulate)
    {
        var product = MatrixProduct.Times(dy, weight, dx);
        _products.Run(accumulate ? product.Added : product);
    }

    protected override void BackwardWeightCore(Tensor dy, Tensor x, Tensor dweight, Tensor? dbias)
    {
        _products.Run(MatrixProduct.TransposedTimes(dy, x, dweight).Added);
        if (dbias is not null)
        {
            AddRows(dy, dbias);
        }
    }

    /// <summary>y begins as what the product is added to.</summary>
    private void FillWithBias(Tensor bias, Tensor? residual, Tensor y)
    {
        var before = residual is null ? default : residual.AsRows<float>();
        var op = (bias, HasResidual: residual is not null, Residual: before, Y: y.AsRows<float>());
        pool.ForRows(y.Rows, y.Columns, op, static (in t, first, end) =>
        {
            var row = Widen.Row(t.bias, 0, ThreadScratch.Floats(t.bias.Columns));
            for (var n = first; n < end; n++)
            {
                new ReadOnlySpan<float>(row, t.Y.Columns).CopyTo(t.Y[n]);
                if (t.HasResidual)
                {
                    VectorMath.AddScaled(1, t.Residual.At(n), t.Y.At(n), t.Y.Columns);
                }
            }
        });
    }

    private void AddRows(Tensor dy, Tensor dbias)
    {
        var op = (Dy: dy.AsRows<float>(), dy.Rows, Sums: dbias.AsElements<float>());
        pool.For((dy.Columns + BiasColumns - 1) / BiasColumns, op, static (in t, tile) =>
        {
            var first = tile * BiasColumns;
            var count = Math.Min(BiasColumns, t.Sums.Count - first);
            for (var n = 0; n < t.Rows; n++)
            {
                VectorMath.AddScaled(1, t.Dy.At(n) + first, t.Sums.Pointer + first, count);
            }
        });
    }
}
