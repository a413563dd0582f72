using MathNet.Numerics.Distributions;

namespace SafeLlama.Evaluation;

/// <summary>
/// Tests whether a quantity rises along ordered doses, one-sided; negate the values to test for a fall.
/// </summary>
public static class TrendTest
{
    /// <summary>Statistic, its standard score and the one-sided p-value of a rise.</summary>
    public readonly record struct Result(double Statistic, double Z, double P);

    /// <summary>
    /// The same blocks (prompts or seeds) at every dose: one row per block, one column per dose in order.
    /// </summary>
    /// <remarks>
    /// <code>L = Σ_j j · R_j,  R_j the sum over blocks of the rank of dose j within its block</code>
    /// Page 1963, "Ordered hypotheses for multiple treatments", JASA 58; tied ranks averaged, variance from the ranks
    /// themselves.
    /// </remarks>
    public static Result Page(IReadOnlyList<IReadOnlyList<double>> blocks)
    {
        double l = 0, mean = 0, variance = 0;
        foreach (var block in blocks)
        {
            var ranks = Ranks(block);
            var k = ranks.Length;
            l += ranks.Select((rank, dose) => (dose + 1) * rank).Sum();
            mean += k * (k + 1.0) * (k + 1) / 4;

            // A permutation of the ranks against the fixed scores 1 … k: Σ(rank − r̄)² Σ(dose − d̄)² / (k − 1).
            var spread = ranks.Sum(r => (r - (k + 1) / 2.0) * (r - (k + 1) / 2.0));
            variance += spread * (k * (k * (double)k - 1) / 12) / Math.Max(1, k - 1);
        }

        return OneSided(l, mean, variance);
    }

    private static double[] Ranks(IReadOnlyList<double> values) =>
        [.. values.Select(x => values.Count(y => y < x) + (values.Count(y => y == x) + 1) / 2.0)];

    private static Result OneSided(double statistic, double mean, double variance)
    {
        if (variance <= 0)
        {
            return new(statistic, 0, 1);
        }

        var z = (statistic - mean) / Math.Sqrt(variance);
        return new(statistic, z, Normal.CDF(0, 1, -z));
    }
}
