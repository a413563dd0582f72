namespace SafeLlama.Kernels;

/// <summary>The equation as fp64 loops.</summary>
public sealed class RmsNormReference : RmsNorm
{
    protected override void ForwardCore(Tensor x, Tensor weight, double epsilon, Tensor y, Tensor rstd)
    {
        var (xs, ws, ys, rs) =
            (x.AsDoubles(), weight.AsDoubleElements(), y.AsRows<double>(), rstd.AsElements<double>());
        for (var n = 0; n < x.Rows; n++)
        {
            var square = 0.0;
            for (var i = 0; i < x.Columns; i++)
            {
                square += xs[n][i] * xs[n][i];
            }

            rs[n] = 1 / Math.Sqrt((square / x.Columns) + epsilon);
            for (var i = 0; i < x.Columns; i++)
            {
                ys[n][i] = ws[i] * xs[n][i] * rs[n];
            }
        }
    }

    protected override void BackwardCore(Tensor dy, Tensor x, Tensor weight, Tensor rstd, Tensor dx, Tensor? dweight)
    {
        var (dys, xs, ws) = (dy.AsDoubles(), x.AsDoubles(), weight.AsDoubleElements());
        var (rs, dxs) = (rstd.AsElements<double>(), dx.AsRows<double>());
        for (var n = 0; n < x.Rows; n++)
        {
            var mean = 0.0;
            for (var j = 0; j < x.Columns; j++)
            {
                mean += dys[n][j] * ws[j] * xs[n][j] / x.Columns;
            }

            for (var i = 0; i < x.Columns; i++)
            {
                dxs[n][i] += rs[n] * ((dys[n][i] * ws[i]) - (xs[n][i] * rs[n] * rs[n] * mean));
            }
        }

        if (dweight is null)
        {
            return;
        }

        var dws = dweight.AsElements<double>();
        for (var n = 0; n < x.Rows; n++)
        {
            for (var i = 0; i < x.Columns; i++)
            {
                dws[i] += dys[n][i] * xs[n][i] * rs[n];
            }
        }
    }
}
