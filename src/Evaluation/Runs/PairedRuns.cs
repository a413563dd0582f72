namespace SafeLlama.Evaluation;

/// <summary>Compares two runs under one judge: every metric that both have, paired by prompt.</summary>
internal static class PairedRuns
{
    public static IEnumerable<ComparisonRow> Compare(
        RunFolder baseline, RunFolder candidate, RunManifest.JudgeEntry judge, long seed)
    {
        var (before, after) = (baseline.Outcomes(judge.Hash), candidate.Outcomes(judge.Hash));
        var suites = before.Select(o => o.Prompt.Suite).Distinct().ToArray();
        foreach (var suite in suites.Length > 1 ? [.. suites, MetricTable.AllSuites] : suites)
        {
            Outcome[] InSuite(IReadOnlyList<Outcome> all) =>
                [.. all.Where(o => suite == MetricTable.AllSuites || o.Prompt.Suite == suite)];
            var names = new Names(suite, judge.Identity.Name, judge.Hash, baseline.Name, candidate.Name);
            foreach (var metric in RateMetric.All)
            {
                double? Rate(Outcome o) => !metric.Applies(o.Prompt) ? null : metric.Holds(o) switch
                {
                    true => 1,
                    false => 0,
                    null => null,
                };
                var share = new Measure(metric.Name, metric.Direction, metric.Applies, Rate, Bounds.Difference);
                if (Row(names, share, InSuite(before), InSuite(after), seed) is { } row)
                {
                    yield return row;
                }
            }

            var identity = judge.Identity;
            var mean = new Measure(
                CompositeMetrics.NameOfScore(identity), identity.Scale, _ => true, o => o.Verdict.Score,
                identity.DifferenceBounds);
            if (Row(names, mean, InSuite(before), InSuite(after), seed) is { } score)
            {
                yield return score;
                if (identity.Direction == ScoreDirection.HigherIsBetter)
                {
                    yield return Preference(
                        names, WinRate.Of(InSuite(before), InSuite(after), identity.Direction, seed));
                }
            }
        }
    }

    /// <summary>The candidate's win rate against ½.</summary>
    private static ComparisonRow Preference(Names names, WinRate wins)
    {
        const double Even = 0.5;
        var losses = wins.N - wins.Wins - wins.Ties;
        var rate = wins.Rate;
        return new(names.Suite, MetricNames.WinRate, names.Judge, names.Baseline, names.Candidate)
        {
            BaselineValue = Even,
            CandidateValue = rate.Value,
            Difference = new(rate.Value - Even, rate.Low - Even, rate.High - Even),
            N = wins.N,
            LeftOut = wins.LeftOut,
            OnlyBaseline = losses,
            OnlyCandidate = wins.Wins,
            Direction = "0–1; above 0.5 the candidate is preferred",
            JudgeHash = names.Hash,
            IntervalMethod = RowMethod.Of(rate, "BCa bootstrap by prompt"),
        };
    }

    private static ComparisonRow? Row(
        Names names, Measure measure, IReadOnlyList<Outcome> before, IReadOnlyList<Outcome> after, long seed)
    {
        var (a, b) = (ByPrompt(before, measure.Value), ByPrompt(after, measure.Value));
        if (PairedValues.Of(a, b) is not { } paired)
        {
            return null;
        }

        var asked = before.Concat(after).Where(o => measure.Applies(o.Prompt)).Select(IdentityOf).Distinct().Count();
        var difference = Bootstrap.Mean(paired.Differences, seed, bounds: measure.Bounds);
        return new(names.Suite, measure.Metric, names.Judge, names.Baseline, names.Candidate)
        {
            BaselineValue = paired.Before,
            CandidateValue = paired.After,
            Difference = difference,
            N = paired.N,
            LeftOut = asked - paired.N,
            OnlyBaseline = paired.OnlyBefore,
            OnlyCandidate = paired.OnlyAfter,
            Direction = measure.Direction,
            JudgeHash = names.Hash,
            IntervalMethod = RowMethod.Of(difference, "BCa bootstrap by prompt"),
        };
    }

    /// <summary>The mean over a prompt's samples; a prompt whose text or surroundings changed is another
    /// prompt.</summary>
    private static Dictionary<string, double> ByPrompt(IReadOnlyList<Outcome> outcomes, Func<Outcome, double?> value) =>
        outcomes.Where(o => !o.IsInvalid && value(o) is not null)
            .GroupBy(IdentityOf)
            .ToDictionary(g => g.Key, g => g.Average(o => value(o)!.Value));

    private static string IdentityOf(Outcome o) => $"{o.Prompt.Key}\n{o.Prompt.Text}\n{o.Prompt.Surroundings}";

    private sealed record Names(string Suite, string Judge, string Hash, string Baseline, string Candidate);

    /// <summary>
    /// A compared quantity: the value of an answer, null where it has none, and the bounds of a change.
    /// </summary>
    private sealed record Measure(
        string Metric, string Direction, Func<SuitePrompt, bool> Applies, Func<Outcome, double?> Value,
        Bounds? Bounds);
}
