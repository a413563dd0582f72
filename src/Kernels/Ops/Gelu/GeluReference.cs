namespace SafeLlama.Kernels;

/// <summary>The equation as fp64 loops.</summary>
public sealed class GeluReference : Gelu
{
    /// <summary>From here on 1 − |erf| is below the last bit of an fp64 number near 1.</summary>
    private const double One = 6;

    /// <summary>erf(x), to the last bits of fp64.</summary>
    /// <remarks>
    /// <code>erf(x) = 2/√π · e^(−x²) · Σ_n 2ⁿ x^(2n+1) / (1 · 3 · 5 ⋯ (2n+1))</code>
    /// All terms have one sign, so nothing cancels. Abramowitz and Stegun 1964, 7.1.6.
    /// </remarks>
    internal static double Erf(double x)
    {
        if (Math.Abs(x) >= One)
        {
            return Math.Sign(x);
        }

        var (term, sum) = (x, x);
        for (var n = 1; Math.Abs(term) > 1e-18 * Math.Abs(sum); n++)
        {
            term *= 2 * x * x / ((2 * n) + 1);
            sum += term;
        }

        return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
    }

    protected override void ForwardCore(Tensor x, Tensor y)
    {
        var (xs, ys) = (x.AsDoubles(), y.AsRows<double>());
        for (var n = 0; n < x.Rows; n++)
        {
            for (var i = 0; i < x.Columns; i++)
            {
                ys[n][i] = xs[n][i] * Share(xs[n][i]);
            }
        }
    }

    protected override void BackwardCore(Tensor dy, Tensor x, Tensor dx)
    {
        var (dys, xs, dxs) = (dy.AsDoubles(), x.AsDoubles(), dx.AsRows<double>());
        for (var n = 0; n < x.Rows; n++)
        {
            for (var i = 0; i < x.Columns; i++)
            {
                var at = xs[n][i];
                var density = Math.Exp(-at * at / 2) / Math.Sqrt(2 * Math.PI);
                dxs[n][i] = dys[n][i] * (Share(at) + (at * density));
            }
        }
    }

    /// <summary>Φ(x).</summary>
    private static double Share(double x) => (1 + Erf(x / Math.Sqrt(2))) / 2;
}
