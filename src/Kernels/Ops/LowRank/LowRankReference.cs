namespace SafeLlama.Kernels;

/// <summary>The equation as fp64 loops.</summary>
public sealed class LowRankReference : LowRank
{
    protected override void ForwardCore(Tensor x, Tensor a, Tensor b, double scale, Dropout dropout, Tensor u, Tensor y)
    {
        var (xs, As, bs) = (x.AsDoubles(), a.AsDoubles(), b.AsDoubles());
        var (us, ys) = (u.AsRows<double>(), y.AsRows<double>());
        var kept = new double[x.Columns];
        for (var n = 0; n < x.Rows; n++)
        {
            Drop(dropout, n, xs[n], kept);
            for (var k = 0; k < a.Rows; k++)
            {
                us[n][k] = LinearReference.Dot(kept, As[k]);
            }

            for (var o = 0; o < b.Rows; o++)
            {
                ys[n][o] += scale * LinearReference.Dot(us[n], bs[o]);
            }
        }
    }

    protected override void BackwardCore(
        Tensor dy, Tensor x, Tensor a, Tensor b, double scale, Dropout dropout, Tensor u, Tensor du, Tensor da,
        Tensor db, Tensor? dx)
    {
        var (dys, xs, As, bs, us) = (dy.AsDoubles(), x.AsDoubles(), a.AsDoubles(), b.AsDoubles(), u.AsDoubles());
        var (dus, das, dbs) = (du.AsRows<double>(), da.AsRows<double>(), db.AsRows<double>());
        var (kept, dkept, dx1) = (new double[x.Columns], new double[x.Columns], new double[x.Columns]);
        for (var n = 0; n < x.Rows; n++)
        {
            dus[n].Clear();
            for (var o = 0; o < b.Rows; o++)
            {
                LinearReference.AddScaled(scale * dys[n][o], bs[o], dus[n]);
                LinearReference.AddScaled(scale * dys[n][o], us[n], dbs[o]);
            }

            Drop(dropout, n, xs[n], kept);
            Array.Clear(dkept);
            for (var k = 0; k < a.Rows; k++)
            {
                LinearReference.AddScaled(dus[n][k], kept, das[k]);
                LinearReference.AddScaled(dus[n][k], As[k], dkept);
            }

            if (dx is not null)
            {
                Drop(dropout, n, dkept, dx1);
                LinearReference.AddScaled(1, dx1, dx.AsRows<double>()[n]);
            }
        }
    }

    /// <summary>Both drop and its derivative: each element times its factor.</summary>
    private static void Drop(Dropout dropout, int row, ReadOnlySpan<double> x, Span<double> kept)
    {
        for (var i = 0; i < x.Length; i++)
        {
            kept[i] = dropout.IsActive ? x[i] * dropout.Factor(((long)row * x.Length) + i) : x[i];
        }
    }
}
