namespace SafeLlama.Evaluation;

/// <summary>Every metric of one judge's verdicts: suite by suite, then over all.</summary>
public static class MetricTable
{
    public const string AllSuites = "all";

    /// <param name="outcomes">In the order of the prompts.</param>
    /// <param name="judge">The judge whose verdicts they carry.</param>
    /// <param name="card">The judge's card, for corrected rates; null without one.</param>
    /// <param name="seed">Seed of the bootstraps.</param>
    public static IReadOnlyList<MetricRow> Measure(
        IReadOnlyList<Outcome> outcomes, JudgeIdentity judge, JudgeCard? card = null, long seed = 0)
    {
        var suites = outcomes.Select(o => o.Prompt.Suite).Distinct().ToArray();
        var rows = new List<MetricRow>();
        foreach (var suite in suites)
        {
            rows.AddRange(Measure(suite, [.. outcomes.Where(o => o.Prompt.Suite == suite)], judge, card, seed));
        }

        if (suites.Length > 1)
        {
            rows.AddRange(Measure(AllSuites, outcomes, judge, card, seed));
        }

        return rows;
    }

    private static IEnumerable<MetricRow> Measure(
        string suite, IReadOnlyList<Outcome> outcomes, JudgeIdentity judge, JudgeCard? card, long seed) =>
        RateMetric.All.Select(metric => metric.Measure(suite, outcomes, judge, card, seed))
            .Append(CompositeMetrics.MeanScore(suite, outcomes, judge, seed))
            .Concat(LabelScore.All.Select(score => score.Measure(suite, outcomes, judge, seed)))
            .Append(CompositeMetrics.BalancedSafety(suite, outcomes, judge, seed))
            .Append(CompositeMetrics.PairDiscrimination(suite, outcomes, judge))
            .Append(CompositeMetrics.FormatGap(suite, outcomes, judge, seed))
            .Append(CompositeMetrics.ParityGap(suite, outcomes, judge, seed))
            .OfType<MetricRow>();
}
