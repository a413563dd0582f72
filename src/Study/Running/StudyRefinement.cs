using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>Adds arms to a finished study where a dose analysis asks for a finer look.</summary>
/// <remarks>
/// In each series the doses between which harm reaches the level are halved along log(1 + N), once for each round. The
/// arms added depend on results alone, so a study that is run again adds the same ones.
/// </remarks>
public static class StudyRefinement
{
    /// <summary>The recipe of the next round; null where there is nothing more to add.</summary>
    /// <param name="asked">The recipe before any round.</param>
    public static StudyRecipe? Next(StudyRecipe asked, StudyResults results)
    {
        var recipe = results.Recipe;
        var benign = results.Arms.Count == 0 ? 0 : results.Arms[0].Benign;
        foreach (var analysis in (recipe.Analyses ?? []).Where(a => a.Refine > 0))
        {
            var before = asked.Analyses!.First(a => a.Name == analysis.Name);
            foreach (var series in analysis.Series)
            {
                var added = series.Arms.Count - before.Series.First(s => s.Name == series.Name).Arms.Count;
                if (added < analysis.Refine && Added(analysis, series, results, benign) is { } arm)
                {
                    while (recipe.Arms.Any(other => other.Name == arm.Name))
                    {
                        arm = arm with { Name = arm.Name + "-added" };
                    }

                    recipe = With(recipe, analysis.Name, series.Name, arm);
                }
            }
        }

        return recipe == results.Recipe ? null : recipe;
    }

    private static StudyArm? Added(StudyAnalysis analysis, AnalysisSeries series, StudyResults results, int benign)
    {
        var arms = series.Arms.Select(name => results.Arms.FirstOrDefault(a => a.Arm.Name == name)).OfType<ArmResult>()
            .OrderBy(a => a.Safety).ToList();
        var fitted = DoseResponse.NeverRising([.. arms.Select(a => a.Metric(analysis.Metric).Value.Value)]);
        var first = Array.FindIndex(fitted, rate => rate <= analysis.Level);
        return first > 0 && DoseResponse.Between(arms[first - 1].Safety, arms[first].Safety) is { } dose
            ? arms[first].Arm with
            {
                Name = $"{series.Name}-{dose}",
                SafetyExamples = dose,
                SafetyShare = null,
                Added = true,
            }
            : null;
    }

    private static StudyRecipe With(StudyRecipe recipe, string analysis, string series, StudyArm arm) => recipe with
    {
        Arms = [.. recipe.Arms, arm],
        Analyses =
        [
            .. recipe.Analyses!.Select(a => a.Name != analysis ? a : a with
            {
                Series = [.. a.Series.Select(s => s.Name != series ? s : s with { Arms = [.. s.Arms, arm.Name] })],
            }),
        ],
    };
}
