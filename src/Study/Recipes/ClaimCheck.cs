namespace SafeLlama.Study;

/// <summary>Whether a claim compares what there is, and can come out either way.</summary>
internal static class ClaimCheck
{
    /// <summary>One sentence for each error in a recipe's claims.</summary>
    public static IEnumerable<string> Problems(StudyRecipe recipe)
    {
        if (recipe.Claims.Select(claim => claim.Id).Distinct().Count() != recipe.Claims.Count)
        {
            yield return "two claims have one id.";
        }

        if (recipe.Evidence is { } evidence && (evidence.Models < 1 || evidence.Seeds < 1))
        {
            yield return $"evidence asks for {evidence.Models} models and {evidence.Seeds} seeds, expected 1 or more "
                + "of each.";
        }

        foreach (var problem in recipe.Claims.SelectMany(claim => Of(claim, recipe), (claim, problem) =>
            problem.StartsWith("claim ", StringComparison.Ordinal) ? problem : $"claim {claim.Id}: {problem}"))
        {
            yield return problem;
        }
    }

    private static IEnumerable<string> Of(Claim claim, StudyRecipe recipe)
    {
        if (!double.IsFinite(claim.Threshold))
        {
            yield return $"threshold is {claim.Threshold}, expected a number.";
        }

        foreach (var problem in
            claim.Test is ClaimTest.Below or ClaimTest.Above or ClaimTest.Within || claim.Finding is not null
                ? FindingClaims.Problems(claim, recipe) : OfMetrics(claim, recipe))
        {
            yield return problem;
        }
    }

    private static IEnumerable<string> OfMetrics(Claim claim, StudyRecipe recipe)
    {
        var trend = claim.Test is ClaimTest.Rising or ClaimTest.Falling;
        foreach (var arm in (trend ? claim.Along : [claim.Arm, claim.Baseline])
            .Where(name => recipe.Arms.All(arm => arm.Name != name)))
        {
            yield return $"there is no arm \"{arm}\".";
        }

        foreach (var metric in new[] { claim.Metric, claim.BaselineMetric }.OfType<string>()
            .Where(name => recipe.Metrics.All(metric => metric.Name != name)))
        {
            yield return $"there is no metric \"{metric}\".";
        }

        if (double.IsFinite(claim.Threshold) && claim.Threshold is (< 0 or > 1))
        {
            yield return $"threshold is {claim.Threshold}, expected a difference of shares from 0 to 1.";
        }

        var same = claim.BaselineMetric is null || claim.BaselineMetric == claim.Metric;
        if (trend)
        {
            if (claim.Along.Count < 3 || claim.Along.Distinct().Count() < claim.Along.Count)
            {
                yield return "along needs three arms or more, all different.";
            }

            if (claim.Arm.Length + claim.Baseline.Length > 0 || claim.BaselineMetric is not null)
            {
                yield return "arm, baseline and baseline_metric have no effect beside along.";
            }
        }
        else if (claim.Along.Count > 0)
        {
            yield return $"along has no effect on {claim.Test.ToString().ToLowerInvariant()}.";
        }
        else if (claim.Arm == claim.Baseline && same)
        {
            yield return $"arm \"{claim.Arm}\" is compared with itself.";
        }
        else if (claim.Test == ClaimTest.Equivalent && !same)
        {
            yield return "equivalence needs the same prompts on both sides; leave out baseline_metric.";
        }
    }
}
