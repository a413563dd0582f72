using MathNet.Numerics.Distributions;

namespace SafeLlama.Evaluation;

/// <summary>The interval of n equal observations, for which resampling gives no width.</summary>
/// <remarks>
/// <code>q = z²/(n + z²)      [v − q(v − low), v + q(high − v)]</code>
/// q is Wilson's upper limit for 0 of n: the largest share of other values that n draws would still miss. The limits
/// put that share at the ends of the range. For a difference of 0 between paired rates they are those of Tango 1998,
/// "Equivalence test and confidence interval for the difference in proportions for the paired-sample design",
/// Statistics in Medicine 17, when no pair differs.
/// </remarks>
public static class NoVariation
{
    public const string Method = "no variation seen: score bound on what n could miss";

    public const string Unbounded = "no variation seen, and no range known: no limits";

    /// <param name="value">The value of every observation.</param>
    /// <param name="n">Independent observations.</param>
    /// <param name="bounds">The range; null where there is none, which leaves the limits open (NaN).</param>
    public static Interval Around(double value, double n, Bounds? bounds, double confidence = 0.95)
    {
        if (bounds is not var (low, high))
        {
            return new(value, double.NaN, double.NaN) { Method = Unbounded };
        }

        var missed = Wilson.Share(0, n, confidence).High;
        return new(value, value - missed * (value - low), value + missed * (high - value)) { Method = Method };
    }

    /// <summary>The one-sided p-value of "so large a share is of other values", when n draws showed none: the level at
    /// which q reaches the share.</summary>
    /// <param name="share">Of other values; 0 or less is refuted by nothing.</param>
    /// <param name="n">Independent observations.</param>
    public static double P(double share, double n) => share <= 0 ? 1 : share >= 1 ? 0
        : Normal.CDF(0, 1, -Math.Sqrt(n * share / (1 - share)));
}
