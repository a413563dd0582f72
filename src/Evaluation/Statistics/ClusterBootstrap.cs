namespace SafeLlama.Evaluation;

/// <summary>A bootstrap that draws whole clusters: all samples of one prompt, both halves of one pair.</summary>
/// <remarks>
/// Rows of one cluster are not independent; drawn one by one they would make the interval too narrow. Davison and
/// Hinkley 1997, "Bootstrap methods and their application", 3.8.
/// </remarks>
public static class ClusterBootstrap
{
    public const string EffectiveWilson = "Wilson on the number of clusters: resampling them shows no variation";

    /// <summary>The BCa interval of a mean over rows, clusters drawn whole.</summary>
    /// <param name="values">One value per row.</param>
    /// <param name="clusters">The cluster of each row, such as its prompt's id.</param>
    /// <param name="bounds">The range that a value cannot leave. Where resampling sees no variation, Wilson's interval
    /// on as many units as there are clusters takes over; without a range the limits are open.</param>
    public static Interval Mean(
        IReadOnlyList<double> values, IReadOnlyList<string> clusters, long seed = 0, double confidence = 0.95,
        Bounds? bounds = null)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Count, clusters.Count);
        var groups = clusters.Select((name, row) => (name, row)).GroupBy(x => x.name, x => x.row)
            .Select(rows => (Sum: rows.Sum(row => values[row]), Count: rows.Count()))
            .ToArray();
        return Bootstrap.BiasCorrected(
            groups.Length,
            drawn =>
            {
                double sum = 0, count = 0;
                foreach (var group in drawn)
                {
                    sum += groups[group].Sum;
                    count += groups[group].Count;
                }

                return sum / count;
            },
            seed,
            confidence,
            constant: value => bounds is var (low, high)
                ? Scaled(Wilson.Share(Math.Clamp((value - low) / (high - low), 0, 1), groups.Length, confidence), value,
                    low, high)
                : NoVariation.Around(value, groups.Length, null));
    }

    private static Interval Scaled(Interval share, double value, double low, double high) =>
        new(value, low + share.Low * (high - low), low + share.High * (high - low)) { Method = EffectiveWilson };
}
