using SafeLlama.Common;

namespace SafeLlama.Study;

/// <summary>Finds errors in what a recipe says of files.</summary>
internal static class FileDataCheck
{
    /// <summary>One sentence for each error.</summary>
    public static IEnumerable<string> Problems(StudyRecipe recipe)
    {
        var data = recipe.Data;
        if (!data.UsesFiles)
        {
            return new[]
            {
                ("safety_questions", data.SafetyQuestions is not null),
                ("safety_opinions", data.SafetyOpinions is not null),
                ("suites", data.Suites.Count > 0), ("variants", data.Variants is not null),
                ("names", data.Names is not null),
            }.Where(field => field.Item2).Select(field => $"data.{field.Item1} is given without data.instructions.");
        }

        return (data.Variants ?? new Dictionary<string, SuiteVariant>()).SelectMany(v => v.Value.Problems(v.Key, data))
            .Concat(data.Names?.Problems() ?? [])
            .Concat(Wordings(recipe))
            .Concat(Suites(recipe));
    }

    /// <summary>Refuses what a metric names and no prompt has, and kinds of harm that are shown and never asked: what
    /// is read from nothing looks like a result.</summary>
    /// <exception cref="SafeLlamaException">There is one; all are named.</exception>
    public static void RequireAsked(StudyRecipe recipe, IReadOnlyList<StudyPrompt> prompts)
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
            if (!prompts.Any(p => p.Suite == suite && (metric.Label is null || p.Label == metric.Label)))
            {
                yield return $"no prompt of {suite} has the label {metric.Label.ToString()!.ToLowerInvariant()}.";
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

    private static IEnumerable<string> Wordings(StudyRecipe recipe)
    {
        var data = recipe.Data;
        if (data.Safety is null && (data.SafetyQuestions ?? data.SafetyOpinions) is not null)
        {
            yield return "data.safety is missing, whose rows the other wordings repeat.";
        }

        if (data.Names is not null && recipe.Arms.All(arm => arm.Safety?.PeopleA is null)
            && data.Variants?.Values.Any(v => v.Names) != true)
        {
            yield return "data.names has no effect: neither an arm's safety.people_a nor a variant puts names in.";
        }
    }

    private static IEnumerable<string> Suites(StudyRecipe recipe)
    {
        var known = recipe.Data.Suites.Keys.Concat(recipe.Data.Variants?.Keys ?? []).ToHashSet();
        return recipe.Metrics
            .SelectMany(metric => metric.Suites.Where(suite => !known.Contains(suite) && !OfAttacks(recipe, suite))
                .Select(suite => $"metric {metric.Name}: asks the suite {suite}, which neither data.suites nor "
                    + "data.variants names."))
            .Concat(recipe.Attacks?.Suites.Concat(recipe.Attacks.Benign ?? []).Where(suite => !known.Contains(suite))
                .Select(suite => $"attacks: the suite {suite} is named neither in data.suites nor in data.variants.")
                ?? []);
    }

    /// <summary>Attacks bring metrics and suites of their own.</summary>
    private static bool OfAttacks(StudyRecipe recipe, string suite) => recipe.Attacks is { } attacks
        && !attacks.Problems(recipe).Any()
        && attacks.Metrics(usesFiles: true).Any(metric => metric.Suites.Contains(suite));
}
