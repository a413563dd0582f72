using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>All claims of a study together: what they ask of the evidence, and what many tests cost.</summary>
internal static class StudyClaims
{
    /// <summary>The level of every test, after adjustment.</summary>
    private const double Level = 0.05;

    public static IReadOnlyList<ClaimOutcome> Judge(AnalysisData data, IReadOnlyList<AnalysisResult> analyses)
    {
        var recipe = data.Recipe;
        var judge = new ClaimJudge(data.Outcomes, recipe.Metrics);
        var others = new Lazy<IReadOnlyList<AnalysisResult>[]>(() => [.. Countings(data)]);
        ClaimOutcome[] outcomes = [.. recipe.Claims.Select(claim => LeftOut(claim, recipe) ?? (claim.Finding is null
            ? judge.Judge(claim) : Finding(claim, data, analyses, others)))];
        return recipe.Evidence is { } evidence ? Weighed(outcomes, recipe, evidence) : outcomes;
    }

    /// <summary>How many bases stand behind an answer.</summary>
    public static int Bases(StudyRecipe recipe) => (recipe.Analyses ?? [])
        .Where(a => a.Sizes is not null).SelectMany(a => SizeAnalysis.Present(a, recipe)).Select(s => s.Models.Count)
        .DefaultIfEmpty(recipe.Models.Count).Min();

    /// <summary>"1 base and 1 seed, of 3 and 3 asked for"; null where there are enough.</summary>
    public static string? Missing(StudyRecipe recipe) => TooFew(recipe) ?? Unequal(recipe);

    private static string? TooFew(StudyRecipe recipe) => recipe.Evidence is not { } evidence
        || (Bases(recipe) >= evidence.Models && recipe.Seeds.Count >= evidence.Seeds)
        ? null
        : $"{Counted.Of(Bases(recipe), "base")} and {Counted.Of(recipe.Seeds.Count, "seed")}, where "
            + $"{evidence.Models} and {evidence.Seeds} are asked for";

    /// <summary>Where bases must be equally good: how far their losses on held-out text are apart.</summary>
    private static string? Unequal(StudyRecipe recipe)
    {
        if (recipe.Evidence?.BaseLossWithin is not { } within)
        {
            return null;
        }

        var losses = recipe.BaseLosses ?? new Dictionary<string, double?>();
        if (recipe.Models.FirstOrDefault(model => losses.GetValueOrDefault(model) is null) is { } unknown)
        {
            return $"the held-out loss of {Path.GetFileName(unknown.TrimEnd('/'))} is not recorded";
        }

        var (low, high) = (losses.Values.Min()!.Value, losses.Values.Max()!.Value);
        return high - low <= within ? null : FormattableString.Invariant(
            $"held-out losses of the bases from {low:0.000} to {high:0.000}, where {within} between them is asked for");
    }

    private static ClaimOutcome? LeftOut(Claim claim, StudyRecipe recipe)
    {
        string[] asked = claim.Finding is not null ? Analyses.ArmsOf(recipe, claim.Finding)
            : claim.Along.Count > 0 ? [.. claim.Along] : [claim.Arm, claim.Baseline];
        return asked.FirstOrDefault(arm => recipe.LeftOut?.Contains(arm) == true) is { } missing
            ? new(claim, ClaimVerdict.CannotTell, Interval.None, Interval.Level, double.NaN, 0, 0,
                $"arm {missing} was left out of this run")
            : null;
    }

    /// <summary>The verdict without invalid answers, unless some way of counting them changes it.</summary>
    private static ClaimOutcome Finding(
        Claim claim, AnalysisData data, IReadOnlyList<AnalysisResult> analyses,
        Lazy<IReadOnlyList<AnalysisResult>[]> others)
    {
        var told = FindingClaims.Judge(claim, data, analyses);
        return data.Outcomes.Runs.All(run => run.Answers.All(a => !a.IsInvalid))
            || others.Value.All(other => FindingClaims.Judge(claim, data, other).Verdict == told.Verdict)
            ? told
            : told with
            {
                Verdict = ClaimVerdict.CannotTell,
                Note = $"{told.Note}; invalid answers, if counted, change the verdict (without them: "
                    + $"{ReportText.Verdict(told.Verdict)})",
            };
    }

    /// <summary>Every invalid answer as a no, and as a yes.</summary>
    private static IEnumerable<IReadOnlyList<AnalysisResult>> Countings(AnalysisData data) =>
        new[] { 0.0, 1.0 }.Select(score =>
            Analyses.Compute(data with { Outcomes = data.Outcomes.Counting((_, _) => score) }));

    /// <summary>Adjusts p-values for all claims, and leaves each open where bases or seeds are too few.</summary>
    private static ClaimOutcome[] Weighed(ClaimOutcome[] outcomes, StudyRecipe recipe, StudyEvidence evidence)
    {
        var adjusted = Holm.Adjust([.. outcomes.Select(o => o.P)]);
        var missing = Missing(recipe);
        return [.. outcomes.Select((outcome, i) =>
        {
            var p = adjusted[i];
            var weighed = outcome with { AdjustedP = double.IsNaN(p) ? null : p };
            return missing is not null && outcome.Verdict != ClaimVerdict.CannotTell
                ? weighed with
                {
                    Verdict = ClaimVerdict.CannotTell,
                    Note = $"{outcome.Note}; {missing} (by itself: {ReportText.Verdict(outcome.Verdict)})",
                }
                : outcome.Verdict == ClaimVerdict.Reproduced && p >= Level
                    ? weighed with
                    {
                        Verdict = outcome.Found is null ? ClaimVerdict.Partly : ClaimVerdict.CannotTell,
                        Note = $"{outcome.Note}; p over all claims of the study is {ReportText.P(p)}",
                    }
                    : weighed;
        })];
    }
}
