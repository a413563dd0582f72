namespace SafeLlama.Evaluation;

/// <summary>Tests the headline measures of runs: one test per fact, one family per measure.</summary>
/// <remarks>
/// p is adjusted by Holm within a family; limits are adjusted by Bonferroni, so that all intervals of a family hold at
/// once. A limit and p may disagree at the margin, since p is exact and the limits are resampled.
/// </remarks>
internal sealed class HeadlineComparison(long seed)
{
    private readonly List<Fact> _facts = [];

    /// <summary>Adds every headline measure that a judge gives on two runs.</summary>
    public void Add(RunFolder baseline, RunFolder candidate, RunManifest.JudgeEntry judge)
    {
        var (before, after) = (baseline.Outcomes(judge.Hash), candidate.Outcomes(judge.Hash));
        var identity = judge.Identity;
        foreach (var metric in HeadlineMetric.Of(identity, before, after))
        {
            foreach (var suite in before.Select(o => o.Prompt.Suite).Distinct())
            {
                Outcome[] InSuite(IReadOnlyList<Outcome> all) => [.. all.Where(o => o.Prompt.Suite == suite)];
                var (first, second) = (metric.Units(InSuite(before)), metric.Units(InSuite(after)));
                if (PairedValues.Of(ByKey(first), ByKey(second)) is not { } paired)
                {
                    continue;
                }

                var p = paired.P(seed);
                var change = new HeadlineChange(
                    metric.Name, metric.Prompts, suite, identity.Name, judge.Hash, baseline.Name, candidate.Name)
                {
                    Title = metric.Title,
                    Family = metric.Family,
                    LowerIsBetter = metric.LowerIsBetter,
                    BaselineValue = paired.Before,
                    CandidateValue = paired.After,
                    N = paired.N,
                    LeftOut = first.Concat(second).Select(u => u.Key).Distinct().Count() - paired.N,
                    OnlyBaseline = paired.OnlyBefore,
                    OnlyCandidate = paired.OnlyAfter,
                    Test = paired.Test,
                    P = p,
                };
                _facts.Add(new(change, paired.Differences,
                    metric.IsRate ? Bounds.Difference : identity.DifferenceBounds));
            }
        }
    }

    /// <summary>Every fact with p and limits adjusted, family by family.</summary>
    public IReadOnlyList<HeadlineChange> Adjusted() =>
        [.. _facts.GroupBy(f => f.Change.Family).SelectMany(family => Adjust([.. family]))];

    private IEnumerable<HeadlineChange> Adjust(Fact[] family)
    {
        var adjusted = Holm.Adjust([.. family.Select(f => f.Change.P)]);
        var confidence = 1 - (1 - Interval.Level) / family.Length;
        return family.Select((fact, i) => fact.Change with
        {
            PAdjusted = adjusted[i],
            Tests = family.Length,
            Confidence = confidence,
            AdjustedDifference = Bootstrap.Mean(fact.Differences, seed, confidence, fact.Bounds),
        });
    }

    /// <summary>The mean over a prompt's samples.</summary>
    private static Dictionary<string, double> ByKey(IReadOnlyList<HeadlineUnit> units) =>
        units.Where(u => u.Value is not null).GroupBy(u => u.Key)
            .ToDictionary(g => g.Key, g => g.Average(u => u.Value!.Value));

    private sealed record Fact(HeadlineChange Change, double[] Differences, Bounds? Bounds);
}
