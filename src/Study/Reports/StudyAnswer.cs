using SafeLlama.Common;

namespace SafeLlama.Study;

/// <summary>A study's answer in words that a reader quotes, and what stands behind it.</summary>
public static class StudyAnswer
{
    /// <summary>
    /// The answer in one line: what became of the claims, then what the first analysis says. Where bases or seeds are
    /// too few, that there is no verdict.
    /// </summary>
    public static string Of(StudyResults results)
    {
        var said = results.Analyses is [{ Sentence: var first }, ..] ? first : "";
        return Open(results.Recipe) is { } open
            ? $"No verdict yet: {open}. Seen in this run: {said}"
            : $"{Verdicts(results.Claims)}{said}".TrimEnd();
    }

    /// <summary>What the other analyses say, a sentence or more each.</summary>
    public static IEnumerable<string> Further(StudyResults results) =>
        (results.Analyses ?? []).Skip(1).Select(a => a.Sentence);

    /// <summary>Why there is no verdict; null where there is one.</summary>
    public static string? Open(StudyRecipe recipe)
    {
        string[] reasons =
        [
            .. StudyClaims.Missing(recipe) is { } missing ? [missing] : (string[])[],
            .. IsDevelopment(recipe) ? ["development prompts"] : (string[])[],
            .. recipe.LeftOut is { Count: > 0 } left ? [$"{Counted.Of(left.Count, "arm")} left out"]
                : (string[])[],
        ];
        return reasons.Length == 0 ? null : string.Join("; ", reasons);
    }

    /// <summary>Exactly what was run: arms, bases, seeds, prompts.</summary>
    public static string Scope(StudyResults results)
    {
        var recipe = results.Recipe;
        return $"{Counted.Of(results.Arms.Count, "arm")} on {Counted.Of(recipe.Models.Count, "base")} ("
            + string.Join(", ", recipe.Models.Select(m => Path.GetFileName(m.TrimEnd('/')) + Loss(recipe, m))) + ") with "
            + $"{Counted.Of(recipe.Seeds.Count, "tuning seed")} ({string.Join(", ", recipe.Seeds)}), "
            + (recipe.Data.UsesFiles ? "prompts from files" : IsDevelopment(recipe) ? "development prompts"
                : "test prompts")
            + (recipe.Device is { } device ? $", computed on {device}" : "")
            + $"; {Counted.Of(results.Recipe.Claims.Count, "claim")} fixed before the run";
    }

    /// <summary>What a claim found, with its unit; "–" where there was nothing to compare.</summary>
    public static string Found(ClaimOutcome outcome) => outcome.Found is { } found
        ? FindingText.Of(found)
        : outcome.Difference.IsNone ? "–" : ReportText.Points(outcome.Difference) + " points";

    /// <summary>"reproduced: −98.5 [−100 to −95.9] points, p &lt; 0.001"; the reason where nothing was
    /// found.</summary>
    public static string Verdict(ClaimOutcome outcome) => ReportText.Verdict(outcome.Verdict) + ": "
        + (IsOpen(outcome) ? outcome.Note : $"{Found(outcome)}, p {ReportText.P(outcome.P)}");

    /// <summary>"Of 5 claims 2 reproduced, 3 cannot be decided. "</summary>
    private static string Verdicts(IReadOnlyList<ClaimOutcome> claims)
    {
        string[] counts =
        [
            .. claims.CountBy(claim => claim.Verdict).OrderBy(count => count.Key).Select(count => $"{count.Value} "
                + (count.Key == ClaimVerdict.CannotTell ? "cannot be decided" : ReportText.Verdict(count.Key))),
        ];
        return counts.Length == 0 ? "" : $"Of {Counted.Of(claims.Count, "claim")} {string.Join(", ", counts)}. ";
    }

    /// <summary>Whether there was nothing to compare.</summary>
    internal static bool IsOpen(ClaimOutcome outcome) => outcome.Found is null && outcome.Difference.IsNone;

    /// <summary>" at loss 0.912", where the study asks for equal losses.</summary>
    private static string Loss(StudyRecipe recipe, string model) =>
        recipe.BaseLosses?.GetValueOrDefault(model) is { } loss
            ? FormattableString.Invariant($" at loss {loss:0.000}") : "";

    private static bool IsDevelopment(StudyRecipe recipe) =>
        recipe.Data is { UsesFiles: false, Draw: WorldDraw.Development };
}
