using SafeLlama.Common;

namespace SafeLlama.Kernels;

/// <summary>The equations as fp64 loops.</summary>
public sealed class ElementwiseReference : Elementwise
{
    protected override void GatherRowsCore(Tensor x, Tensor row, Tensor y)
    {
        var (xs, rows, ys) = (x.AsRows<double>(), row.AsElements<int>(), y.AsRows<double>());
        for (var n = 0; n < y.Rows; n++)
        {
            xs[rows[n]].CopyTo(ys[n]);
        }
    }

    protected override void ScatterRowsCore(Tensor x, Tensor row, Tensor y)
    {
        var (xs, rows, ys) = (x.AsRows<double>(), row.AsElements<int>(), y.AsRows<double>());
        for (var n = 0; n < x.Rows; n++)
        {
            xs[n].CopyTo(ys[rows[n]]);
        }
    }

    protected override void AddCore(Tensor x, Tensor y)
    {
        var (xs, ys) = (x.AsRows<double>(), y.AsRows<double>());
        for (var n = 0; n < x.Rows; n++)
        {
            for (var i = 0; i < x.Columns; i++)
            {
                ys[n][i] += xs[n][i];
            }
        }
    }

    protected override void SumCore(Tensor x, Tensor total, bool square)
    {
        var (xs, sum) = (x.AsDoubles(), 0.0);
        for (var n = 0; n < x.Rows; n++)
        {
            foreach (var value in xs[n])
            {
                sum += square ? value * value : value;
            }
        }

        total.AsElements<double>()[0] += sum;
    }

    protected override void AddNoiseCore(Philox stream, Tensor scale, Tensor y)
    {
        var (scales, ys) = (scale.AsElements<double>(), y.AsRows<double>());
        for (var n = 0; n < y.Rows; n++)
        {
            for (var i = 0; i < y.Columns; i++)
            {
                ys[n][i] += scales[n] * (int)stream.UInt32(((long)n * y.Columns) + i) / -(double)int.MinValue;
            }
        }
    }
}
