using System.Text.Json;
using System.Text.Json.Nodes;
using SafeLlama.Common;

namespace SafeLlama.Study;

/// <summary>Reads a recipe from a tree of keys and values, and reports all its errors together.</summary>
public static class RecipeReader
{
    /// <summary>Binds and checks a recipe.</summary>
    /// <param name="tree">The document; scalars may be text, as YAML gives them.</param>
    /// <param name="source">The name of the file in errors.</param>
    /// <exception cref="SafeLlamaException">A key is missing, unknown or of the wrong kind, or the recipe makes no
    /// sense.</exception>
    public static StudyRecipe Read(JsonNode tree, string source)
    {
        if (Nothing(tree, "").FirstOrDefault() is { } empty)
        {
            throw SafeLlamaException.Usage($"{source}: {empty} is empty; give it, or leave it out.");
        }

        if (Recorded.FirstOrDefault(key => (tree as JsonObject)?.ContainsKey(key) == true) is { } recorded)
        {
            throw SafeLlamaException.Usage(
                $"{source}: {recorded} is what a run records, and no part of a recipe; leave it out.");
        }

        StudyRecipe recipe;
        try
        {
            recipe = tree.Deserialize<StudyRecipe>(StudyJson.Document)
                ?? throw SafeLlamaException.Usage($"{source}: is empty, expected a study recipe.");
        }
        catch (JsonException e)
        {
            throw SafeLlamaException.Usage($"{source}: {JsonRecord.Reason(e, typeof(StudyRecipe))}");
        }

        if (recipe.Metrics.Count == 0 && !recipe.Data.UsesFiles)
        {
            recipe = recipe with { Metrics = WorldMetrics.All };
        }

        // Each trial is a metric; a recipe that spoils its trials is told so below.
        if (recipe.Attacks is { } attacks && !attacks.Problems(recipe).Any())
        {
            recipe = recipe with { Metrics = [.. recipe.Metrics, .. attacks.Metrics(recipe.Data.UsesFiles)] };
        }

        var problems = RecipeCheck.Problems(recipe);
        return problems.Count == 0
            ? recipe
            : throw SafeLlamaException.Usage(
                $"{source}: {string.Join(" ", problems)}");
    }

    /// <summary>Facts of a run, which stand beside its recipe in what it writes.</summary>
    private static readonly string[] Recorded = ["device", "left_out", "base_losses"];

    /// <summary>The places where a list or a map of names holds nothing.</summary>
    private static IEnumerable<string> Nothing(JsonNode tree, string path) => tree switch
    {
        JsonArray list => list.SelectMany((node, i) => Within(node, $"{path}[{i}]", isElement: true)),
        JsonObject map => map.SelectMany(field => Within(
            field.Value, path.Length == 0 ? field.Key : $"{path}.{field.Key}",
            isElement: path is "data.suites" or "data.variants")),
        _ => [],
    };

    private static IEnumerable<string> Within(JsonNode? node, string path, bool isElement) =>
        node is not null ? Nothing(node, path) : isElement ? [path] : [];
}
