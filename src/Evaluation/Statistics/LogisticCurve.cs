namespace SafeLlama.Evaluation;

/// <summary>A rate against a dose: p = 1/(1 + exp(−(a + b·x))), fitted by maximum likelihood.</summary>
/// <remarks>
/// Berkson 1944, JASA 39; Newton's method with a small ridge, so that perfect separation has an answer.
/// </remarks>
/// <param name="Intercept">a.</param>
/// <param name="Slope">b, per unit of x.</param>
public sealed record LogisticCurve(double Intercept, double Slope)
{
    private const double Ridge = 1e-6;

    public double At(double x) => 1 / (1 + Math.Exp(-(Intercept + Slope * x)));

    /// <summary>The x at which the rate is <paramref name="rate"/>; NaN for a flat curve.</summary>
    public double Inverse(double rate) => Slope == 0 ? double.NaN : (Math.Log(rate / (1 - rate)) - Intercept) / Slope;

    /// <param name="x">The dose of each group, often log(1 + Ns).</param>
    /// <param name="positives">How many of each group had the property.</param>
    /// <param name="totals">How many each group holds.</param>
    public static LogisticCurve Fit(
        IReadOnlyList<double> x, IReadOnlyList<double> positives, IReadOnlyList<double> totals)
    {
        double a = 0, b = 0;
        for (var step = 0; step < 100; step++)
        {
            double ga = -Ridge * a, gb = -Ridge * b, haa = Ridge, hab = 0, hbb = Ridge;
            for (var i = 0; i < x.Count; i++)
            {
                var p = 1 / (1 + Math.Exp(-(a + b * x[i])));
                var residual = positives[i] - totals[i] * p;
                var weight = totals[i] * p * (1 - p);
                ga += residual;
                gb += residual * x[i];
                haa += weight;
                hab += weight * x[i];
                hbb += weight * x[i] * x[i];
            }

            var determinant = haa * hbb - hab * hab;
            if (determinant <= 0)
            {
                break;
            }

            // The step is limited to the steep part of the curve, so that Newton's method does not diverge.
            var da = Math.Clamp((hbb * ga - hab * gb) / determinant, -4, 4);
            var db = Math.Clamp((haa * gb - hab * ga) / determinant, -4, 4);
            (a, b) = (a + da, b + db);
            if (Math.Abs(da) + Math.Abs(db) < 1e-12)
            {
                break;
            }
        }

        return new(a, b);
    }
}
