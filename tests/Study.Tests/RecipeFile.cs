using System.Text.Json.Nodes;
using SafeLlama.Testing;
using YamlDotNet.Serialization;

namespace SafeLlama.Study.Tests;

/// <summary>Reads the recipes that are shipped.</summary>
internal static class RecipeFile
{
    /// <summary>The files of the studies in miniature.</summary>
    public static IEnumerable<string> Names =>
        Directory.GetFiles(Path.Combine(TestFiles.Root, "recipes"), "*.yaml").Order(StringComparer.Ordinal)
            .Where(file => File.ReadAllText(file).Contains("\narms:", StringComparison.Ordinal))
            .Select(file => Path.GetFileName(file));

    public static StudyRecipe Read(string name)
    {
        var path = Path.Combine(TestFiles.Root, "recipes", name);
        return RecipeReader.Read(
            Tree(new DeserializerBuilder().Build().Deserialize<object>(File.ReadAllText(path)))!, name);
    }

    private static JsonNode? Tree(object? value) => value switch
    {
        Dictionary<object, object> map =>
            new JsonObject(map.Select(e => KeyValuePair.Create((string)e.Key, Tree(e.Value)))),
        List<object> list => new JsonArray([.. list.Select(Tree)]),
        string text when bool.TryParse(text, out var yes) => JsonValue.Create(yes),
        string text => JsonValue.Create(text),
        _ => null,
    };
}
