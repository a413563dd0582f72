using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>A file as it was handed in: untrusted.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Bytes">Its size as whoever read it says; a longer text counts.</param>
/// <param name="Text">Its content; null where it was too large to be read, or could not be.</param>
public sealed record ClassFile(string Name, long Bytes, string? Text);

/// <summary>A file that was left out.</summary>
/// <param name="File">Its name, with characters that hide or rearrange text made visible.</param>
/// <param name="Reason">What is wrong with it; nothing of its content is repeated but numbers.</param>
public sealed record RefusedFile(string File, string Reason);

/// <summary>Sorts the files of a class into results and refusals, whatever order they came in.</summary>
/// <param name="plan">What every file must be of.</param>
public sealed class ClassFiles(ClassPlan plan)
{
    private const int MostName = 80;

    private static readonly JsonSerializerOptions Reading = new(Json.Line)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        NumberHandling = JsonNumberHandling.Strict,
        AllowDuplicateProperties = false,
        MaxDepth = 4,
    };

    /// <summary>The text of a result's file.</summary>
    public static string TextOf(ClassResult result) => JsonSerializer.Serialize(result, Json.Line) + "\n";

    /// <returns>Results in order of seed, and what was left out in order of name.</returns>
    public (IReadOnlyList<ClassResult> Results, IReadOnlyList<RefusedFile> Refused) Sort(
        IReadOnlyList<ClassFile> files)
    {
        var read = files.Select(file => (Name: NameOf(file), Found: Read(file))).ToList();
        var refused = read.Where(r => r.Found.Reason is not null)
            .Select(r => new RefusedFile(r.Name, r.Found.Reason!)).ToList();
        var results = new List<ClassResult>();
        foreach (var seed in read.Where(r => r.Found.Result is not null).GroupBy(r => r.Found.Result!.Seed))
        {
            var same = seed.OrderBy(r => r.Name, StringComparer.Ordinal).ToList();
            var differs = same.Select(r => TextOf(Ordered(r.Found.Result!))).Distinct().Count() > 1;
            if (!differs)
            {
                results.Add(same[0].Found.Result!);
            }

            refused.AddRange(same.Skip(differs ? 0 : 1).Select(r => new RefusedFile(r.Name, differs
                ? $"seed {seed.Key} is in {same.Count} files with different counts, so none of them is used; train it "
                    + "anew on one laptop."
                : $"seed {seed.Key} is in {same[0].Name} too, with the same counts; it counts once.")));
        }

        return ([.. results.OrderBy(r => r.Seed)], [.. refused.OrderBy(r => r.File, StringComparer.Ordinal)
            .ThenBy(r => r.Reason, StringComparer.Ordinal)]);
    }

    private (ClassResult? Result, string? Reason) Read(ClassFile file)
    {
        var bytes = Math.Max(file.Bytes, file.Text is null ? 0 : Encoding.UTF8.GetByteCount(file.Text));
        if (bytes > ClassResult.MostBytes)
        {
            return (null, $"has {bytes:N0} bytes, a result has at most {ClassResult.MostBytes:N0}.");
        }

        if (file.Text is null)
        {
            return (null, "cannot be read: a folder, or a file that was moved or changed since it was chosen.");
        }

        try
        {
            return JsonSerializer.Deserialize<ClassResult>(file.Text.TrimStart('\uFEFF'), Reading) is not { } result
                ? (null, "is no result of a class.")
                : Problem(result) is { } problem ? (null, problem) : (result, null);
        }
        catch (JsonException)
        {
            return (null, "is no result of a class: not the JSON that the room Class saves.");
        }
    }

    private string? Problem(ClassResult result) =>
        result.Kind != ClassResult.FileKind ? "is no result of a class: its kind is another."
        : result.Version != ClassResult.FileVersion
            ? $"has form {result.Version}, this program reads form {ClassResult.FileVersion}; use one version of the "
                + "program on all laptops."
        : result.Program != RunManifest.ProgramVersion
            ? $"is of another version of the program than {RunManifest.ProgramVersion}, which judges; train it with "
                + "that one."
        : result.Recipe != plan.RecipeHash ? "is of another recipe: its arms, rows or prompts are not this class's."
        : result.Base != plan.BaseHash ? "is of another base model than the one that comes with this program."
        : result.Seed is < 1 or > ClassResult.MostSeed
            ? $"has seed {result.Seed}, expected 1 to {ClassResult.MostSeed:N0}."
        : Same(result.Counts.Keys, ClassPlan.Recipe.Arms.Select(a => a.Name)) ? ProblemOfCounts(result)
        : $"has other arms than {string.Join(", ", ClassPlan.Recipe.Arms.Select(a => a.Name))}.";

    private string? ProblemOfCounts(ClassResult result)
    {
        foreach (var arm in ClassPlan.Recipe.Arms.Select(a => a.Name))
        {
            if (result.Counts[arm] is not { } counts || !Same(counts.Keys, plan.Prompts.Keys))
            {
                return $"has other metrics of {arm} than {string.Join(", ", plan.Prompts.Keys)}.";
            }

            foreach (var (metric, prompts) in plan.Prompts)
            {
                if (counts[metric] is not { Yes: >= 0, Invalid: >= 0 } count
                    || (long)count.Yes + count.Invalid > prompts)
                {
                    return $"has impossible counts of {metric} in {arm}: yes and invalid are 0 or more, and together "
                        + $"at most the {prompts} prompts.";
                }
            }
        }

        return null;
    }

    /// <summary>Arms and metrics in the recipe's order, so that equal counts are equal texts.</summary>
    private static ClassResult Ordered(ClassResult result) => result with
    {
        Counts = ClassPlan.Recipe.Arms.ToDictionary(
            arm => arm.Name,
            arm => (IReadOnlyDictionary<string, ClassCount>)ClassPlan.Recipe.Metrics.ToDictionary(
                metric => metric.Name, metric => result.Counts[arm.Name][metric.Name])),
    };

    private static bool Same(IEnumerable<string> found, IEnumerable<string> expected) =>
        found.Order(StringComparer.Ordinal).SequenceEqual(expected.Order(StringComparer.Ordinal));

    private static string NameOf(ClassFile file) => SafeText.Shown(
        file.Name.Length <= MostName ? file.Name : Beginning(file.Name) + "…").ReplaceLineEndings(" ");

    /// <summary>No character is cut in half.</summary>
    private static string Beginning(string name) => name[..(char.IsHighSurrogate(name[MostName - 1])
        ? MostName - 1 : MostName)];
}
