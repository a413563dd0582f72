using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>A headline measure of one suite under one judge.</summary>
/// <param name="Metric">What is measured.</param>
/// <param name="Suite">The suite.</param>
/// <param name="Judge">The judge's name.</param>
/// <param name="Value">The estimate with its 95% interval.</param>
/// <param name="N">Valid, scored answers (or pairs) behind it.</param>
/// <param name="Invalid">Invalid answers, which are left out.</param>
/// <param name="Unscored">Answers left out because the judge gave no verdict.</param>
public sealed record HeadlineRow(
    HeadlineMetric Metric, string Suite, string Judge, Interval Value, int N, int Invalid, int Unscored)
{
    /// <summary>The headline of a finished run: judge by judge, measure by measure, suite by suite.</summary>
    /// <param name="run">The run.</param>
    /// <param name="judges">Hashes of the judges that matter; all of the run's without.</param>
    public static IReadOnlyList<HeadlineRow> Of(RunFolder run, IReadOnlyCollection<string>? judges = null) =>
    [
        .. run.Manifest.Judges.Where(judge => judges?.Contains(judge.Hash) != false).SelectMany(judge => Of(
            run.Outcomes(judge.Hash), judge.Identity, run.Manifest.Seed)),
    ];

    /// <summary>Whether more than half of the answers are invalid, so that the value says little of the
    /// model.</summary>
    public bool IsMostlyInvalid => 2 * Invalid > N + Invalid + Unscored;

    /// <summary>Whether more than half of the answers have no verdict.</summary>
    public bool IsMostlyUnscored => 2 * Unscored > N + Invalid + Unscored;

    /// <param name="outcomes">One judge's verdicts.</param>
    /// <param name="judge">The judge.</param>
    /// <param name="seed">Seed of the bootstraps.</param>
    public static IReadOnlyList<HeadlineRow> Of(
        IReadOnlyList<Outcome> outcomes, JudgeIdentity judge, long seed = 0)
    {
        var suites = outcomes.GroupBy(o => o.Prompt.Suite).Select(s => (s.Key, Outcomes: s.ToArray())).ToArray();
        return
        [
            .. HeadlineMetric.Of(judge, outcomes)
                .SelectMany(metric => suites
                    .Select(suite => Row(metric, suite.Key, judge, metric.Units(suite.Outcomes), seed)))
                .OfType<HeadlineRow>(),
        ];
    }

    /// <summary>"12.5%" where the measure is a rate, "0.125" where it is a score; a dash where there is none.</summary>
    public string ValueText => Value.IsNone ? "–"
        : Metric.IsRate ? Percent.Of(Value.Value) : SummaryMarkdown.Number(Value.Value);

    /// <summary>"[8–17]" in percent where the measure is a rate; a dash where there is no interval.</summary>
    public string LimitsText => Value.IsNone ? "–"
        : Metric.IsRate ? $"[{100 * Value.Low:0.#}–{100 * Value.High:0.#}]" : SummaryMarkdown.Limits(Value);

    private static HeadlineRow? Row(
        HeadlineMetric metric, string suite, JudgeIdentity judge, IReadOnlyList<HeadlineUnit> units, long seed)
    {
        if (units.Count == 0)
        {
            return null;
        }

        var scored = units.Where(u => u.Value is not null).ToArray();
        double[] values = [.. scored.Select(u => u.Value!.Value)];
        var repeated = scored.Select(u => u.Key).Distinct().Count() < scored.Length;
        var value = metric.IsRate && !repeated
            ? Wilson.Rate((long)values.Sum(), values.Length)
            : ClusterBootstrap.Mean(values, [.. scored.Select(u => u.Key)], seed, bounds: metric.Bounds);
        var invalid = units.Count(u => u.Invalid);
        return new(metric, suite, judge.Name, value, scored.Length, invalid, units.Count - scored.Length - invalid);
    }
}
