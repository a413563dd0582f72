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
            .SelectMany(metric => metric.Suites
                .Where(suite => !known.Contains(suite) && !AskedPrompts.OfAttacks(recipe, suite))
                .Select(suite => $"metric {metric.Name}: asks the suite {suite}, which neither data.suites nor "
                    + "data.variants names."))
            .Concat(recipe.Attacks?.Suites.Concat(recipe.Attacks.Benign ?? []).Where(suite => !known.Contains(suite))
                .Select(suite => $"attacks: the suite {suite} is named neither in data.suites nor in data.variants.")
                ?? []);
    }
}
