using System.Text.Json.Nodes;
using SafeLlama.Cli.Results;
using SafeLlama.Cli.Settings;
using SafeLlama.Common;
using SafeLlama.Study;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace SafeLlama.Cli.Study;

/// <summary>Study recipes: those that come with the program, by name, or any YAML file.</summary>
internal static class StudyRecipes
{
    /// <summary>The study that is run when none is named.</summary>
    public const string Default = "safety-dose";

    /// <summary>Levels of a recipe; none needs ten.</summary>
    private const int Deepest = 32;

    private static readonly string Shipped = Path.Combine(AppContext.BaseDirectory, "recipes");

    /// <summary>The recipe of a name or in a file.</summary>
    /// <exception cref="SafeLlamaException">There is no such recipe, it is not YAML, or it makes no sense.</exception>
    public static StudyRecipe Read(string nameOrFile)
    {
        var shipped = Path.Combine(Shipped, nameOrFile + ".yaml");
        var path = File.Exists(nameOrFile) ? nameOrFile
            : File.Exists(shipped) ? shipped
            : throw SafeLlamaException.Usage(
                $"--recipe {nameOrFile}: is neither a file nor a recipe of the program"
                + (NearestName.Of(nameOrFile, Names()) is { } meant ? $"; did you mean '{meant}'?"
                    : $"; those are {string.Join(", ", Names())}."));
        return RecipeReader.Read(Tree(path), Path.GetFileName(path));
    }

    /// <summary>The recipes of the program.</summary>
    public static IReadOnlyList<RecipeEntry> All() =>
        [.. Names().Select(name => new RecipeEntry(name, Read(name).Question))];

    /// <summary>One line for each: name and question.</summary>
    public static IEnumerable<string> Lines(IReadOnlyList<RecipeEntry> recipes)
    {
        var width = recipes.Max(recipe => recipe.Name.Length);
        return recipes.Select(recipe => $"{recipe.Name.PadRight(width)}  {recipe.Question}");
    }

    /// <summary>The world's recipes, then those over files of one's own, <c>real/NAME</c>.</summary>
    private static IEnumerable<string> Names() => Directory.Exists(Shipped)
        ? Directory.GetFiles(Shipped, "*.yaml", SearchOption.AllDirectories)
            .Select(path => Path.ChangeExtension(Path.GetRelativePath(Shipped, path), null).Replace('\\', '/'))
            .OrderBy(name => name.Contains('/', StringComparison.Ordinal)).ThenBy(name => name, StringComparer.Ordinal)
            .Where(name => !name.EndsWith("-base", StringComparison.Ordinal))
        : [];

    private static JsonNode Tree(string path) => RecipeFile.Open(path, reader =>
    {
        var yaml = new YamlStream();
        yaml.Load(reader);
        return yaml.Documents is [{ RootNode: YamlMappingNode root }]
            ? Node(root, path, 0)!
            : throw SafeLlamaException.Usage($"{path}: expected one YAML mapping: name, question, arms.");
    });

    /// <summary>Scalars stay text, except plain true, false and null; the reader knows which are numbers.</summary>
    private static JsonNode? Node(YamlNode node, string path, int depth) => node switch
    {
        _ when depth > Deepest => throw SafeLlamaException.Usage(
            $"{path}:{node.Start.Line}: is nested deeper than {Deepest}; an anchor may hold itself."),
        YamlMappingNode map => new JsonObject(map.Children.Select(
            e => KeyValuePair.Create(e.Key.ToString(), Node(e.Value, path, depth + 1)))),
        YamlSequenceNode list => new JsonArray([.. list.Select(item => Node(item, path, depth + 1))]),
        YamlScalarNode { Style: ScalarStyle.Plain, Value: "true" or "false" } scalar =>
            JsonValue.Create(scalar.Value == "true"),
        YamlScalarNode { Style: ScalarStyle.Plain, Value: "null" or "~" or "" } => null,
        _ => JsonValue.Create(node.ToString()),
    };
}
