using MathNet.Numerics.Distributions;

namespace SafeLlama.Evaluation;

/// <summary>One quantity over runs that differ only in their seed: seeds as a random effect.</summary>
/// <param name="Mean">Over the seeds, with Student's interval; its limits are NaN for a single seed, and where all
/// seeds agree, which says nothing of the next one.</param>
/// <param name="BetweenSeeds">The standard deviation between seeds (n − 1); NaN for a single seed.</param>
/// <param name="Seeds">How many runs.</param>
public sealed record SeedSpread(Interval Mean, double BetweenSeeds, int Seeds)
{
    /// <summary>Equal rates whose counts differ are apart by less: 3/10 − 1/10 and 5/10 − 3/10.</summary>
    private const double Rounding = 1e-12;

    /// <param name="values">One for each seed, within [−1, 1].</param>
    /// <param name="confidence">The coverage of the interval, 0.95 for 95%.</param>
    public static SeedSpread Of(IReadOnlyList<double> values, double confidence = Interval.Level)
    {
        var n = values.Count;
        var mean = n == 0 ? double.NaN : values.Average();
        if (n < 2)
        {
            return new(new(mean, double.NaN, double.NaN), double.NaN, n);
        }

        if (values.Max() - values.Min() <= Rounding)
        {
            return new(NoVariation.Around(mean, n, null, confidence), 0, n);
        }

        var deviation = Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (n - 1));
        var half = StudentT.InvCDF(0, 1, n - 1, 0.5 + confidence / 2) * deviation / Math.Sqrt(n);
        return new(new(mean, mean - half, mean + half) { Method = "Student's t over seeds" }, deviation, n);
    }
}
