using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>Tests claims about findings of analyses.</summary>
/// <remarks>
/// Reproduced: the whole interval is on the claim's side. Not reproduced: the whole interval is on the other side.
/// Else it cannot be decided. Below and above take 95% limits; within takes 90% limits, which is two one-sided tests
/// at 5%.
/// </remarks>
internal static class FindingClaims
{
    /// <summary>One sentence for each problem.</summary>
    public static IEnumerable<string> Problems(Claim claim, StudyRecipe recipe)
    {
        if (claim.Finding is null || claim.Test is not (ClaimTest.Below or ClaimTest.Above or ClaimTest.Within))
        {
            yield return $"claim {claim.Id}: a finding is tested by below, above or within, and these test a finding.";
        }
        else if (!Analyses.Gives(recipe, claim.Finding))
        {
            yield return $"claim {claim.Id}: no analysis gives \"{claim.Finding}\".";
        }

        if (claim.Metric.Length + claim.Arm.Length + claim.Baseline.Length + claim.Along.Count > 0
            || claim.BaselineMetric is not null)
        {
            yield return $"claim {claim.Id}: metric, arm, baseline and along have no effect beside a finding.";
        }

        if (claim.Test == ClaimTest.Within && claim.Threshold <= 0)
        {
            yield return $"claim {claim.Id}: threshold is {claim.Threshold}, expected more than 0.";
        }
    }

    public static ClaimOutcome Judge(Claim claim, AnalysisData data, IReadOnlyList<AnalysisResult> analyses)
    {
        var found = Analyses.Find(analyses, claim.Finding!);
        var estimate = found?.Estimate ?? Estimate.None;
        var (low, high) = claim.Test == ClaimTest.Within
            ? (-claim.Threshold, claim.Threshold)
            : claim.Test == ClaimTest.Below
                ? (double.NegativeInfinity, claim.Threshold)
                : (claim.Threshold, double.PositiveInfinity);
        if (claim.Test == ClaimTest.Within && estimate.Draws.Count > 0)
        {
            estimate = Estimate.Of(estimate.Value, estimate.Draws, confidence: 0.9) with
            {
                Undefined = estimate.Undefined,
            };
        }

        // The limits of a finding that some resamples could not tell are too narrow.
        var decided = !double.IsNaN(estimate.Low) && estimate.Undefined * 20 <= estimate.Draws.Count;
        var verdict = !decided ? ClaimVerdict.CannotTell
            : estimate.Low > low && estimate.High < high ? ClaimVerdict.Reproduced
            : estimate.High <= low || estimate.Low >= high ? ClaimVerdict.NotReproduced
            : ClaimVerdict.CannotTell;
        var p = claim.Test == ClaimTest.Within
            ? Math.Max(estimate.P(d => d > low), estimate.P(d => d < high))
            : estimate.P(d => d > low && d < high);
        return new(
            claim, verdict, Interval.None, estimate.Confidence, p, 0,
            data.Recipe.Models.Count * data.Recipe.Seeds.Count, Words(claim, found))
        {
            Found = found is null ? null : found with { Estimate = estimate },
        };
    }

    private static string Words(Claim claim, Finding? found)
    {
        var threshold = FindingText.Of(
            Estimate.None with { Value = claim.Threshold }, found?.Unit ?? FindingUnit.Number);
        return claim.Test switch
        {
            ClaimTest.Below => $"below {threshold}",
            ClaimTest.Above => $"above {threshold}",
            _ => $"within ± {threshold.TrimStart('+')}",
        };
    }
}
