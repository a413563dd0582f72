using SafeLlama.Common;

namespace SafeLlama.Study;

/// <summary>Finds metrics and analyses that read prompts which nobody asks.</summary>
internal static class AskedPrompts
{
    /// <summary>Refuses what a metric names and no prompt has, and kinds of harm that are shown and never asked: what
    /// is read from nothing looks like a result.</summary>
    /// <exception cref="SafeLlamaException">There is one; all are named.</exception>
    public static void Require(StudyRecipe recipe, IReadOnlyList<StudyPrompt> prompts)
    {
        string[] problems =
        [
            .. recipe.Metrics.Where(metric => !metric.Suites.All(suite => OfAttacks(recipe, suite)))
                .SelectMany(metric => Unread(metric, prompts).Select(what => $"metric {metric.Name}: {what}")),
            .. (recipe.Analyses ?? []).SelectMany(a => Unasked(recipe, a, prompts)
                .Select(what => $"analysis {a.Name}: {what}")),
        ];
        if (problems.Length > 0)
        {
            throw SafeLlamaException.Usage(string.Join(" ", problems));
        }
    }

    private static IEnumerable<string> Unread(StudyMetric metric, IReadOnlyList<StudyPrompt> prompts)
    {
        foreach (var suite in metric.Suites)
        {
            if (prompts.All(p => p.Suite != suite))
            {
                var suites = prompts.Select(p => p.Suite).Distinct().ToList();
                yield return $"there is no suite {suite}{NearestName.Hint(suite, suites)} There are "
                    + $"{string.Join(", ", suites)}.";
            }
            else if (metric.Label is { } label && !prompts.Any(p => p.Suite == suite && p.Label == label))
            {
                yield return $"no prompt of {suite} has the label {label.ToString().ToLowerInvariant()}.";
            }
        }

        var there = prompts.Where(p => metric.Suites.Contains(p.Suite)).Select(p => p.Category).Distinct()
            .Order(StringComparer.Ordinal).ToList();
        if (metric.Categories is { Count: 0 })
        {
            yield return "categories is empty, which leaves no prompt.";
        }

        foreach (var category in metric.Categories?.Where(c => !there.Contains(c)) ?? [])
        {
            yield return $"no prompt has the category {category}; there are {string.Join(", ", there)}.";
        }
    }

    private static IEnumerable<string> Unasked(
        StudyRecipe recipe, StudyAnalysis analysis, IReadOnlyList<StudyPrompt> prompts)
    {
        var metric = recipe.Metrics.First(m => m.Name == analysis.Metric);
        var read = prompts.Where(metric.Asks).ToList();
        var asked = read.Select(p => p.Category).Distinct().Order(StringComparer.Ordinal).ToList();
        if (analysis.Kind == AnalysisKind.Coverage)
        {
            var without = read.Count(p => p.Category == p.Suite);
            if (without > 0)
            {
                yield return $"{without} of {read.Count} prompts of {metric.Name} have no category.";
            }

            foreach (var category in recipe.Arms.Where(arm => analysis.Series[0].Arms.Contains(arm.Name))
                .SelectMany(arm => arm.Safety?.Categories ?? []).Distinct().Except(asked))
            {
                yield return $"arms demonstrate {category}, and {metric.Name} asks no prompt of that category; it asks "
                    + $"{string.Join(", ", asked)}.";
            }
        }

        if (analysis is { Kind: AnalysisKind.Distance } or { Kind: AnalysisKind.Survival, Times: null }
            && asked.Count(category => DistanceAnalysis.NumberOf(category) >= 0) < 2)
        {
            yield return $"follows {metric.Name} along categories that end in a number, such as turn-4; it asks "
                + $"{string.Join(", ", asked)}.";
        }
    }

    /// <summary>Attacks bring metrics and suites of their own.</summary>
    public static bool OfAttacks(StudyRecipe recipe, string suite) => recipe.Attacks is { } attacks
        && !attacks.Problems(recipe).Any()
        && attacks.Metrics(recipe.Data.UsesFiles).Any(metric => metric.Suites.Contains(suite));
}
