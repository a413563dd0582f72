using System.Text.Json;
using System.Text.Json.Nodes;
using SafeLlama.Common;

namespace SafeLlama.Study;

/// <summary>The recipe with which a study's folder was begun, which another one does not go on with.</summary>
/// <remarks>
/// Models, seeds and arms may be added, and arms left out by name; what decides an arm, its prompts, attacks, claims
/// and analyses stays as it was. Words stay free: the question, the page, a claim's statement.
/// </remarks>
public static class BegunRecipe
{
    /// <summary>The file, in the study's folder.</summary>
    public const string FileName = "recipe.json";

    /// <summary>By this a study that was begun is known.</summary>
    public static readonly RunSign Sign = new(FileName, "question", "arms", "metrics");

    /// <summary>Keeps the recipe of a new folder, and refuses one that differs from what a folder was begun
    /// with.</summary>
    /// <exception cref="SafeLlamaException">It differs; the first field is named.</exception>
    public static void Require(StudyRecipe recipe, string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            Write(recipe, path);
            return;
        }

        var begun = JsonRecord.Parse<StudyRecipe>(
            File.ReadAllBytes(path), path, "was changed since it was written", StudyJson.Document);
        var gone = begun.Arms.FirstOrDefault(arm => !arm.Added && recipe.LeftOut?.Contains(arm.Name) != true
            && recipe.Arms.All(other => other.Name != arm.Name));
        if (gone is not null)
        {
            throw Refused(path, $"arms: {gone.Name} was begun and is not in the recipe now");
        }

        string[] common = [.. begun.Arms.Select(a => a.Name).Intersect(recipe.Arms.Select(a => a.Name))];
        if (PlanDifference.Find(Decisive(begun, common), Decisive(recipe, common)) is { } different)
        {
            throw Refused(path, $"{different}");
        }

        foreach (var (what, left) in begun.Seeds.Except(recipe.Seeds).Select(seed => ("seeds", $"{seed}"))
            .Concat(begun.Models.Except(recipe.Models).Select(model => ("models", model))))
        {
            throw Refused(path, $"{what}: {left} was begun and is not in the recipe now");
        }

        var grown = begun with
        {
            Models = recipe.Models,
            Seeds = recipe.Seeds,
            Arms = [.. begun.Arms, .. recipe.Arms.Where(arm => !arm.Added && !common.Contains(arm.Name))],
        };
        if ((grown.Models.Count, grown.Seeds.Count, grown.Arms.Count)
            != (begun.Models.Count, begun.Seeds.Count, begun.Arms.Count))
        {
            Write(grown, path);
        }
    }

    private static void Write(StudyRecipe recipe, string path) =>
        OutputFile.WriteText(path, JsonSerializer.Serialize(recipe, StudyJson.Document) + "\n");

    private static SafeLlamaException Refused(string path, string what) => SafeLlamaException.Usage(
        $"`Resume` {path}: {what}: the study was begun by another recipe, which this file keeps.",
        "go on with the recipe as it was begun", "name another folder with `Out`");

    /// <summary>What decides the results, by field.</summary>
    private static JsonObject Decisive(StudyRecipe recipe, IReadOnlyList<string> arms) => new()
    {
        ["device"] = recipe.Device ?? "cpu",
        ["data"] = Node(recipe.Data),
        ["training"] = Node(recipe.Training),
        ["decoding"] = Node(recipe.Decoding),
        ["judges"] = Node(recipe.Judges ?? []),
        ["attacks"] = Node(recipe.Attacks),
        ["metrics"] = ByName(recipe.Metrics, metric => metric.Name),
        ["arms"] = ByName(recipe.Arms.Where(arm => arms.Contains(arm.Name)), arm => arm.Name),
        ["claims"] = ByName(recipe.Claims.Select(claim => claim with { Statement = "" }), claim => claim.Id),
        ["analyses"] = ByName(
            (recipe.Analyses ?? []).Select(analysis => WithoutAdded(analysis, recipe)), analysis => analysis.Name),
        ["evidence"] = Node(recipe.Evidence),
    };

    /// <summary>An analysis as it was asked for: without the arms that it added itself.</summary>
    private static StudyAnalysis WithoutAdded(StudyAnalysis analysis, StudyRecipe recipe) => analysis with
    {
        Series =
        [
            .. analysis.Series.Select(series => series with
            {
                Arms = [.. series.Arms.Where(name => recipe.Arms.All(arm => arm.Name != name || !arm.Added))],
            }),
        ],
    };

    private static JsonObject ByName<T>(IEnumerable<T> items, Func<T, string> name) =>
        new(items.Select(item => KeyValuePair.Create(name(item), Node(item))));

    private static JsonNode? Node<T>(T value) => JsonSerializer.SerializeToNode(value, StudyJson.Document);
}
