namespace SafeLlama.Kernels;

/// <summary>The CPU path: every form of the product is one <see cref="MatrixProduct"/> with its own strides.</summary>
public sealed unsafe class LinearSimd(TilePool pool) : Linear
{
    /// <summary>Columns of dbias that one tile sums: a line of every row, several times over.</summary>
    private const int BiasColumns = 256;

    private readonly Products _products = Products.Create(pool);

    protected override void ForwardCore(Tensor x, Tensor weight, Tensor? bias, Tensor? residual, Tensor y)
    {
        if (residual is not null)
        {
            FillWithResidual(residual, bias, y);
        }
        else if (bias is not null)
        {
            FillWithBias(bias, y);
        }

        _products.Run(MatrixProduct.TimesTransposed(x, weight, y) with
        {
            Add = bias is not null || residual is not null,
        });
    }

    protected override void BackwardInputCore(Tensor dy, Tensor weight, Tensor dx, bool accumulate) =>
        _products.Run(MatrixProduct.Times(dy, weight, dx) with { Add = accumulate });

    protected override void BackwardWeightCore(Tensor dy, Tensor x, Tensor dweight, Tensor? dbias)
    {
        _products.Run(MatrixProduct.TransposedTimes(dy, x, dweight) with { Add = true });
        if (dbias is not null)
        {
            AddRows(dy, dbias);
        }
    }

    private void FillWithBias(Tensor bias, Tensor y)
    {
        pool.ForRows(y.Rows, y.Columns, (bias, Y: y.AsRows<float>()), static (in t, first, end) =>
        {
            var row = Widen.Row(t.bias, 0, ThreadScratch.Floats(t.bias.Columns));
            for (var n = first; n < end; n++)
            {
                new ReadOnlySpan<float>(row, t.Y.Columns).CopyTo(t.Y[n]);
            }
        });
    }

    /// <summary>y begins as what the product is added to.</summary>
    private void FillWithResidual(Tensor residual, Tensor? bias, Tensor y)
    {
        var (rs, ys) = (residual.AsRows<float>(), y.AsRows<float>());
        pool.ForRows(y.Rows, y.Columns, (first, end) =>
        {
            var row = bias is null ? null : Widen.Row(bias, 0, ThreadScratch.Floats(bias.Columns));
            for (var n = first; n < end; n++)
            {
                rs[n].CopyTo(ys[n]);
                if (row is not null)
                {
                    VectorMath.AddScaled(1, row, ys.At(n), ys.Columns);
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
