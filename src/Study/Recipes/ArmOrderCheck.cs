namespace SafeLlama.Study;

/// <summary>Finds what makes no sense in arms that go on from others, learn from pairs, or are defended.</summary>
internal static class ArmOrderCheck
{
    /// <summary>One sentence for each problem.</summary>
    public static IEnumerable<string> Problems(StudyRecipe recipe) => recipe.Arms.SelectMany(arm =>
        After(arm, recipe).Concat(Preference(arm, recipe)).Concat(Defense(arm, recipe))
            .Select(problem => $"arm {arm.Name}: {problem}"));

    private static IEnumerable<string> After(StudyArm arm, StudyRecipe recipe)
    {
        if (arm.After is null)
        {
            yield break;
        }

        var before = recipe.Arms.FirstOrDefault(other => other.Name == arm.After);
        if (before is null)
        {
            yield return $"after names \"{arm.After}\", and there is no such arm.";
        }
        else if (before.Untrained)
        {
            yield return $"after names \"{arm.After}\", which is untrained and leaves no adapter.";
        }

        else if (before.Defense?.SafeLora is not null)
        {
            yield return $"after names \"{arm.After}\", whose adapter stands on a merged model of its own; nothing goes "
                + "on from it.";
        }

        if (GoesInCircles(arm, recipe))
        {
            yield return "after leads back to itself.";
        }

        if (arm.Untrained)
        {
            yield return "is untrained, so after has no effect.";
        }

        // SafeLoRA learns a new adapter.
        if (arm.Defense?.SafeLora is null
            && (arm.Rank is not null || arm.Alpha is not null || arm.Targets is not null))
        {
            yield return $"rank, alpha and targets have no effect: the adapter is that of {arm.After}.";
        }
    }

    private static IEnumerable<string> Preference(StudyArm arm, StudyRecipe recipe)
    {
        if (arm.Preference is not { } preference)
        {
            yield break;
        }

        if (arm.Untrained)
        {
            yield return "is untrained, so preference has no effect.";
        }

        if (arm.SafetyExamples is not null || arm.SafetyShare is not null || arm.SafeScary is not null
            || arm.Safety is not null || arm.Format != SafetyFormat.Instruction)
        {
            yield return "learns from pairs, so safety_examples, safety_share, safety, safe_scary and format have no effect.";
        }

        if (recipe.Data.UsesFiles && recipe.Data.Preferences is null)
        {
            yield return "preference needs data.preferences, a file of pairs.";
        }

        foreach (var problem in preference.Problems())
        {
            yield return problem;
        }
    }

    private static IEnumerable<string> Defense(StudyArm arm, StudyRecipe recipe) =>
    [
        .. arm.Defense?.Problems(arm) ?? [],
        .. arm.Defense is { Pairs: > 0 } && recipe.Data.UsesFiles && recipe.Data.Preferences is null
            ? (string[])["defense.pairs needs data.preferences, a file of pairs."] : [],
    ];

    private static bool GoesInCircles(StudyArm arm, StudyRecipe recipe)
    {
        var seen = new HashSet<string>();
        for (var at = arm; at?.After is not null; at = recipe.Arms.FirstOrDefault(other => other.Name == at.After))
        {
            if (!seen.Add(at.Name))
            {
                return true;
            }
        }

        return false;
    }
}
