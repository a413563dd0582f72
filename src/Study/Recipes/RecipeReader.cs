using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using SafeLlama.Common;
using SafeLlama.Model;

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
            throw SafeLlamaException.Usage($"{source}: {e.Path?.TrimStart('$', '.')}: {Plain(e.Message)}");
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

    /// <summary>The reader's message without type names and positions, which mean nothing to a user.</summary>
    private static string Plain(string message)
    {
        const string Conversion = "could not be converted to ";
        var at = message.IndexOf(Conversion, StringComparison.Ordinal);
        if (at >= 0)
        {
            var type = message[(at + Conversion.Length)..];
            return "expected " + (
                type.Contains("Collections", StringComparison.Ordinal) ? "a list."
                : type.Contains("Int", StringComparison.Ordinal) ? "a whole number."
                : type.Contains("Double", StringComparison.Ordinal) ? "a number."
                : type.Contains("Boolean", StringComparison.Ordinal) ? "true or false."
                : type.Contains(nameof(Measure), StringComparison.Ordinal) ? Names<Measure>()
                : type.Contains(nameof(ClaimTest), StringComparison.Ordinal) ? Names<ClaimTest>()
                : type.Contains(nameof(SafetyFormat), StringComparison.Ordinal) ? Names<SafetyFormat>()
                : type.Contains(nameof(SafetyAnswers), StringComparison.Ordinal) ? Names<SafetyAnswers>()
                : type.Contains(nameof(Training.Objective), StringComparison.Ordinal) ? Names<Training.Objective>()
                : type.Contains(nameof(LoraVariant), StringComparison.Ordinal) ? Names<LoraVariant>()
                : type.Contains(nameof(LoadAs), StringComparison.Ordinal) ? Names<LoadAs>()
                : type.Contains(nameof(RowSelection), StringComparison.Ordinal) ? Names<RowSelection>()
                : type.Contains(nameof(AnalysisKind), StringComparison.Ordinal) ? Names<AnalysisKind>()
                : type.Contains(nameof(WorldDraw), StringComparison.Ordinal) ? Names<WorldDraw>()
                : "another kind of value.");
        }

        if (Regex.Match(message, @"property or field '(\w+)' on type .* null values") is { Success: true } empty)
        {
            return $"{empty.Groups[1].Value} is empty; give it, or leave it out.";
        }

        const string Missing = @"missing required properties including: (.+?)\.?( Path:|$)";
        if (Regex.Match(message, Missing) is { Success: true } missing)
        {
            return $"lacks {missing.Groups[1].Value.Replace('\'', '"')}.";
        }

        const string Unknown = " could not be mapped to any .NET member";
        if (message.IndexOf(Unknown, StringComparison.Ordinal) is var cut and >= 0)
        {
            return message[..cut].Replace("The JSON property", "there is no field", StringComparison.Ordinal) + ".";
        }

        var end = message.IndexOf(" Path: ", StringComparison.Ordinal);
        return (end < 0 ? message
            : message[..end]).ReplaceLineEndings(" ").Replace("SafeLlama.Study.", "", StringComparison.Ordinal);
    }

    private static string Names<T>()
        where T : struct, Enum => string.Join(", ", Enum.GetNames<T>()).ToLowerInvariant() + ".";
}
