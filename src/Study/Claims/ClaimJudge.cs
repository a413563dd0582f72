using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>Tests claims against results. Thresholds come from the recipe; the rules are fixed here.</summary>
/// <remarks>
/// Limits are over prompts, base models and tuning seeds; they decide. A p-value tests prompts alone, replicates
/// averaged, and cannot make up for limits that are too wide.
/// </remarks>
public sealed class ClaimJudge(Outcomes outcomes, IReadOnlyList<StudyMetric> metrics)
{
    /// <summary>The level of every test.</summary>
    private const double Level = 0.05;

    /// <summary>The verdict without invalid answers, unless some way of counting them changes it.</summary>
    public ClaimOutcome Judge(Claim claim)
    {
        var told = Decide(claim);
        var invalid = Named(claim).Sum(side => outcomes.Invalid(side.Arm, side.Metric));
        if (invalid == 0)
        {
            return told;
        }

        var last = claim.Along.Count > 0 ? claim.Along[^1] : claim.Arm;
        // A format gap has one arm on both sides, and another metric.
        ClaimVerdict Counting(int inLast, int elsewhere) => new ClaimJudge(outcomes.Counting(
            (arm, metric) => arm == last && metric.Name == claim.Metric ? inLast : elsewhere), metrics)
            .Decide(claim).Verdict;
        ClaimVerdict[] others = [Counting(0, 0), Counting(1, 1), Counting(0, 1), Counting(1, 0)];
        return others.All(verdict => verdict == told.Verdict)
            ? told
            : told with
            {
                Verdict = ClaimVerdict.CannotTell,
                Note = $"{told.Note}; {invalid} answers are none, and counted they change the verdict "
                    + $"(without them: {ReportText.Verdict(told.Verdict)})",
            };
    }

    private IEnumerable<(string Arm, StudyMetric Metric)> Named(Claim claim) => claim.Along.Count > 0
        && claim.Test is ClaimTest.Rising or ClaimTest.Falling
        ? claim.Along.Select(arm => (arm, Metric(claim.Metric, claim)))
        :
        [
            (claim.Arm, Metric(claim.Metric, claim)),
            (claim.Baseline, Metric(claim.BaselineMetric ?? claim.Metric, claim)),
        ];

    /// <summary>A comparison of nothing decides nothing.</summary>
    private ClaimOutcome Decide(Claim claim)
    {
        var outcome = claim.Test switch
        {
            ClaimTest.Lower or ClaimTest.Higher => Compare(claim),
            ClaimTest.Equivalent => Equivalent(claim),
            _ => Trend(claim),
        };
        return double.IsNaN(outcome.Difference.Value)
            ? outcome with { Verdict = ClaimVerdict.CannotTell, Note = $"{outcome.Note}; there is nothing to compare" }
            : outcome;
    }

    /// <summary>Reproduced: the whole interval is beyond the threshold. Partly: beyond zero. Both ask that the
    /// permutation test sees a difference too, which it cannot where groups are few. Not reproduced: short of the
    /// threshold.</summary>
    private ClaimOutcome Compare(Claim claim)
    {
        var (arm, baseline, paired) = Sides(claim);
        var difference = CrossedBootstrap.Difference(arm, baseline, paired);
        var (near, far, sign) = claim.Test == ClaimTest.Lower
            ? (-difference.High, -difference.Low, "lower") : (difference.Low, difference.High, "higher");
        var verdict = VerdictRule.Beyond(near, far, claim.Threshold);
        var p = paired ? PairedPermutation.Test(ClusterDifferences(arm, baseline)) : double.NaN;
        var unseen = p >= Level && verdict is not (ClaimVerdict.NotReproduced or ClaimVerdict.CannotTell);
        return Outcome(
            claim, unseen ? ClaimVerdict.CannotTell : verdict, difference, 0.95, p, arm,
            $"{sign} by {ReportText.Points(claim.Threshold)} points or more"
            + (unseen ? "; the test over whole groups of prompts does not see it" : ""));
    }

    /// <summary>Reproduced: the 90% limits lie within the margin, which is what two one-sided tests at 5% ask.
    /// Partly: the estimate does. Not reproduced: the limits lie beyond it.</summary>
    private ClaimOutcome Equivalent(Claim claim)
    {
        var (arm, baseline, paired) = Sides(claim);
        if (!paired)
        {
            throw Common.SafeLlamaException.Usage(
                $"claim {claim.Id}: equivalence needs the same prompts on both sides; compare one metric in two arms.");
        }

        var differences = ClusterDifferences(arm, baseline);
        var test = differences.Length < 2 ? null : Equivalence.Paired(differences, claim.Threshold, Level);
        var difference = CrossedBootstrap.Difference(arm, baseline, paired, confidence: 1 - 2 * Level);
        var verdict = VerdictRule.Within(difference, claim.Threshold) is var told
            && told == ClaimVerdict.Reproduced && test?.Equivalent != true ? ClaimVerdict.Partly : told;
        return Outcome(
            claim, verdict, difference, 1 - 2 * Level,
            test is null ? double.NaN : Math.Max(test.PLower, test.PUpper), arm,
            $"within ± {ReportText.Points(claim.Threshold)} points");
    }

    /// <summary>Reproduced: Page's test finds the trend and the whole interval of last less first is beyond the
    /// threshold. Partly: it finds the trend. Not reproduced: it does not, and the interval is short of the
    /// threshold.</summary>
    private ClaimOutcome Trend(Claim claim)
    {
        var metric = Metric(claim.Metric, claim);
        var doses = claim.Along.Select(arm => outcomes.Scores(arm, metric)).ToList();
        var sign = claim.Test == ClaimTest.Rising ? 1 : -1;
        var byCluster = doses.Select(scores => scores.GroupBy(s => s.Prompt.Cluster)
            .ToDictionary(g => g.Key, g => sign * g.Average(s => s.Mean))).ToList();
        IReadOnlyList<double>[] blocks =
        [
            .. byCluster[0].Keys.Where(cluster => byCluster.All(d => d.ContainsKey(cluster)))
                .Select(cluster => (double[])[.. byCluster.Select(d => d[cluster])]),
        ];
        var trend = TrendTest.Page(blocks);
        var difference = CrossedBootstrap.Difference(doses[^1], doses[0], paired: true);
        var (near, far) = sign > 0 ? (difference.Low, difference.High) : (-difference.High, -difference.Low);
        var verdict = trend.P < Level && near >= claim.Threshold && near > 0 ? ClaimVerdict.Reproduced
            : trend.P < Level ? ClaimVerdict.Partly
            : VerdictRule.Excludes(far, claim.Threshold) ? ClaimVerdict.NotReproduced
            : ClaimVerdict.CannotTell;
        return Outcome(
            claim, verdict, difference, 0.95, trend.P, doses[0],
            $"{(sign > 0 ? "rises" : "falls")} along {string.Join(", ", claim.Along)} by {claim.Threshold:0.##} or "
            + "more");
    }

    private (IReadOnlyList<PromptScores> Arm, IReadOnlyList<PromptScores> Baseline, bool Paired) Sides(Claim claim)
    {
        var metric = Metric(claim.Metric, claim);
        var other = Metric(claim.BaselineMetric ?? claim.Metric, claim);
        return (outcomes.Scores(claim.Arm, metric), outcomes.Scores(claim.Baseline, other), metric == other);
    }

    private StudyMetric Metric(string name, Claim claim) => metrics.FirstOrDefault(m => m.Name == name)
        ?? throw Common.SafeLlamaException.Usage($"claim {claim.Id}: there is no metric \"{name}\".");

    /// <summary>Arm less baseline, averaged over replicates and within clusters: independent values to test
    /// on.</summary>
    private static double[] ClusterDifferences(IReadOnlyList<PromptScores> arm, IReadOnlyList<PromptScores> baseline)
    {
        var other = baseline.ToDictionary(s => s.Prompt.Id, s => s.Mean);
        return [.. arm.Where(s => other.ContainsKey(s.Prompt.Id)).GroupBy(s => s.Prompt.Cluster)
            .Select(g => g.Average(s => s.Mean - other[s.Prompt.Id]))];
    }

    private static ClaimOutcome Outcome(
        Claim claim, ClaimVerdict verdict, Interval difference, double confidence, double p,
        IReadOnlyList<PromptScores> scores, string note) =>
        new(
            claim, verdict, difference, confidence, p, scores.Count, scores.Count == 0 ? 0 : scores[0].Values.Count,
            note);
}
