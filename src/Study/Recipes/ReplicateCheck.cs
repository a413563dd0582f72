using System.Text;
using SafeLlama.Common;

namespace SafeLlama.Study;

/// <summary>Whether models, seeds and arms give replicates that can be told apart.</summary>
/// <remarks>Part of <see cref="RecipeCheck"/>, and asked again where a command line replaced some of them.</remarks>
public static class ReplicateCheck
{
    private const int LongestName = 100;

    /// <summary>More are a slip.</summary>
    public const int MostSeeds = 1000;

    /// <summary>Refuses what could not be run or not be told apart.</summary>
    /// <exception cref="SafeLlamaException">All problems in one line.</exception>
    public static void Require(StudyRecipe recipe)
    {
        if (string.Join(" ", Problems(recipe)) is { Length: > 0 } problems)
        {
            throw SafeLlamaException.Usage(problems);
        }

        foreach (var analysis in (recipe.Analyses ?? []).Where(a => a.Sizes is not null))
        {
            _ = SizeAnalysis.Present(analysis, recipe);
        }
    }

    /// <summary>One sentence for each error.</summary>
    internal static IEnumerable<string> Problems(StudyRecipe recipe)
    {
        if (recipe.Arms.Count == 0)
        {
            yield return "arms is empty, expected one arm at least.";
        }
        else if (recipe.Arms.All(arm => arm.Untrained))
        {
            yield return "every arm is untrained, expected one at least that learns; `evaluate` asks a model as it is.";
        }

        foreach (var (what, name) in recipe.Arms.Select(arm => ("an arm", arm.Name)).Append(("the recipe", recipe.Name))
            .Where(named => !IsName(named.Item2)))
        {
            yield return $"{what} is called {JsonText(name)}, expected a name of 1 to {LongestName} signs on one line, "
                + "neither \".\" nor \"..\".";
        }

        if (recipe.Arms.Select(arm => arm.Name).Distinct().Count() != recipe.Arms.Count)
        {
            yield return "two arms have one name.";
        }

        if (recipe.Seeds.Count is 0 or > MostSeeds || recipe.Seeds.Distinct().Count() != recipe.Seeds.Count)
        {
            yield return $"seeds must be 1 to {MostSeeds}, all different.";
            yield break;
        }

        if (recipe.Models.Count == 0)
        {
            yield return "models is empty, expected a folder or \"miniature\".";
        }

        // Names that another system's files do not tell apart are one name.
        foreach (var shared in recipe.Models
            .SelectMany(_ => recipe.Arms, (model, arm) => new Replicate(arm.Name, model, 0).Folder)
            .GroupBy(folder => folder.Normalize(NormalizationForm.FormC), StringComparer.OrdinalIgnoreCase)
            .Where(same => same.Count() > 1).Select(same => same.Key))
        {
            yield return $"two replicates would share the folder {shared}: give models (by the last part of their "
                + "path) and arms names of their own.";
        }
    }

    private static bool IsName(string name) => name.Trim().Length > 0 && name.Length <= LongestName
        && name is not ("." or "..") && !name.Any(char.IsControl);

    private static string JsonText(string name) => System.Text.Json.JsonSerializer.Serialize(
        name.Length <= LongestName ? name : name[..LongestName] + "…", Json.Line);
}
