using MathNet.Numerics.Distributions;

namespace SafeLlama.Evaluation;

/// <summary>Tests for equivalence: two one-sided tests that a mean paired difference lies within ± a margin.</summary>
/// <remarks>
/// A difference that is not significant proves nothing; equivalence rejects both "worse by the margin" and "better by
/// the margin". Schuirmann 1987, Journal of Pharmacokinetics and Biopharmaceutics 15.
/// <para>
/// Equal differences have no standard error, and t cannot be computed. Were the mean a margin away, a share s = (margin
/// ± d)/(range ± d) of items at least would have to differ from the d that was seen; n draws miss it with probability
/// (1 − s)ⁿ at most, which is the p-value then.
/// </para>
/// </remarks>
public static class Equivalence
{
    /// <summary>Means of equal scores differ by less.</summary>
    private const double Rounding = 1e-12;

    /// <summary>The result of the two tests.</summary>
    /// <param name="Difference">The mean difference with its 1 − 2α interval (90% for α = 0.05).</param>
    /// <param name="PLower">p against "at least a margin below".</param>
    /// <param name="PUpper">p against "at least a margin above".</param>
    /// <param name="Margin">The margin, in the unit of the differences.</param>
    /// <param name="Equivalent">Both are below α.</param>
    /// <param name="NotInferior">The first alone is below α: no loss beyond the margin.</param>
    public sealed record Result(
        Interval Difference, double PLower, double PUpper, double Margin, bool Equivalent, bool NotInferior);

    /// <param name="differences">New minus old, one per item, within [−1, 1]; at least two.</param>
    /// <param name="margin">0.02 for two points of accuracy.</param>
    /// <param name="alpha">The level of each test.</param>
    public static Result Paired(IReadOnlyList<double> differences, double margin = 0.02, double alpha = 0.05)
    {
        var n = differences.Count;
        ArgumentOutOfRangeException.ThrowIfLessThan(n, 2);
        var mean = differences.Average();
        if (differences.Max() - differences.Min() <= Rounding)
        {
            mean = Math.Clamp(mean, -1, 1);
            double Missed(double d) => Math.Pow(1 - Math.Clamp((margin + d) / (1 + d), 0, 1), n);
            var around = NoVariation.Around(mean, n, Bounds.Difference, 1 - 2 * alpha);
            return Of(around, mean > -1 ? Missed(mean) : 1, mean < 1 ? Missed(-mean) : 1, margin, alpha);
        }

        var error = Math.Sqrt(differences.Sum(d => (d - mean) * (d - mean)) / (n - 1) / n);
        var lower = StudentT.CDF(0, 1, n - 1, -(mean + margin) / error);
        var upper = StudentT.CDF(0, 1, n - 1, (mean - margin) / error);
        var half = StudentT.InvCDF(0, 1, n - 1, 1 - alpha) * error;
        return Of(new(mean, mean - half, mean + half) { Method = "Student's t" }, lower, upper, margin, alpha);
    }

    private static Result Of(Interval difference, double lower, double upper, double margin, double alpha) =>
        new(difference, lower, upper, margin, Math.Max(lower, upper) < alpha, lower < alpha);
}
