namespace SafeLlama.Study;

/// <summary>What a recipe asks for that only the wider world has.</summary>
internal static class WorldNeeds
{
    /// <summary>One clause for each: where it stands, and what it needs.</summary>
    public static IEnumerable<string> Of(StudyRecipe recipe)
    {
        foreach (var arm in recipe.Arms.Where(arm => arm.Safety is not null))
        {
            var safety = arm.Safety!;
            foreach (var (given, name, kind) in new[]
            {
                (safety.PeopleA is not null, "people_a", "the invented peoples"),
                (safety.Distances is not null, "distances", "requests in other words"),
                (safety.Turns is not null, "turns", "dialogues"),
                (safety.Categories?.Any(IsWideOnly) == true, "categories", "the eighth harm category"),
                (safety.Answers == SafetyAnswers.Stall, "answers", "stalls"),
            })
            {
                if (given)
                {
                    yield return $"arm {arm.Name}: safety.{name} needs texts about {kind}";
                }
            }
        }

        foreach (var metric in recipe.Metrics)
        {
            foreach (var suite in metric.Suites.Intersect(WideSuites.Names))
            {
                yield return $"metric {metric.Name}: the suite {suite} is of the wider world";
            }
        }
    }

    private static bool IsWideOnly(string category) => Lexicon.Harmful.All(c => c.Name != category);
}
