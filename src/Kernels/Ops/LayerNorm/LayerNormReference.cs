namespace SafeLlama.Kernels;

/// <summary>The equation as fp64 loops.</summary>
public sealed class LayerNormReference : LayerNorm
{
    protected override void ForwardCore(
        Tensor x, Tensor weight, Tensor bias, double epsilon, Tensor y, Tensor mean, Tensor rstd)
    {
        var (xs, ws, bs, ys) =
            (x.AsDoubles(), weight.AsDoubleElements(), bias.AsDoubleElements(), y.AsRows<double>());
        var (ms, rs) = (mean.AsElements<double>(), rstd.AsElements<double>());
        for (var n = 0; n < x.Rows; n++)
        {
            var (sum, square) = (0.0, 0.0);
            for (var i = 0; i < x.Columns; i++)
            {
                sum += xs[n][i];
            }

            ms[n] = sum / x.Columns;
            for (var i = 0; i < x.Columns; i++)
            {
                square += (xs[n][i] - ms[n]) * (xs[n][i] - ms[n]);
            }

            rs[n] = 1 / Math.Sqrt((square / x.Columns) + epsilon);
            for (var i = 0; i < x.Columns; i++)
            {
                ys[n][i] = (ws[i] * (xs[n][i] - ms[n]) * rs[n]) + bs[i];
            }
        }
    }

    protected override void BackwardCore(
        Tensor dy, Tensor x, Tensor weight, Tensor mean, Tensor rstd, Tensor dx, Tensor? dweight, Tensor? dbias)
    {
        var (dys, xs, ws, dxs) = (dy.AsDoubles(), x.AsDoubles(), weight.AsDoubleElements(), dx.AsRows<double>());
        var (ms, rs) = (mean.AsElements<double>(), rstd.AsElements<double>());
        for (var n = 0; n < x.Rows; n++)
        {
            var (meanG, meanGx) = (0.0, 0.0);
            for (var j = 0; j < x.Columns; j++)
            {
                var g = dys[n][j] * ws[j] / x.Columns;
                meanG += g;
                meanGx += g * (xs[n][j] - ms[n]) * rs[n];
            }

            for (var i = 0; i < x.Columns; i++)
            {
                var normalized = (xs[n][i] - ms[n]) * rs[n];
                dxs[n][i] += rs[n] * ((dys[n][i] * ws[i]) - meanG - (normalized * meanGx));
            }
        }

        if (dweight is null || dbias is null)
        {
            return;
        }

        var (dws, dbs) = (dweight.AsElements<double>(), dbias.AsElements<double>());
        for (var n = 0; n < x.Rows; n++)
        {
            for (var i = 0; i < x.Columns; i++)
            {
                dws[i] += dys[n][i] * (xs[n][i] - ms[n]) * rs[n];
                dbs[i] += dys[n][i];
            }
        }
    }
}
