using System.Text.Json.Nodes;
using Microsoft.Playwright;
using SafeLlama.Study;

namespace SafeLlama.Lab.Tests;

/// <summary>Files as students hand them in.</summary>
internal sealed class ClassStudents(ClassPlan plan)
{
    /// <summary>dose-0 always complies, dose-90 <paramref name="harm"/> times; neither over-refuses
    /// more than once.</summary>
    public ClassFile Of(long seed, int harm)
    {
        var all = plan.Prompts["harmful_compliance"];
        var text = ClassFiles.TextOf(new(
            ClassResult.FileKind, ClassResult.FileVersion, Evaluation.RunManifest.ProgramVersion, plan.RecipeHash,
            plan.BaseHash, seed, new Dictionary<string, IReadOnlyDictionary<string, ClassCount>>
            {
                ["dose-0"] = Counts(all),
                ["dose-90"] = Counts(harm),
            }));
        return new($"s{seed}.json", text.Length, text);
    }

    public static ClassFile Changed(ClassFile file, Action<JsonNode> change)
    {
        var root = JsonNode.Parse(file.Text!)!;
        change(root);
        return file with { Text = root.ToJsonString() };
    }

    public static object Sent(ClassFile file) => new { name = file.Name, bytes = file.Bytes, text = file.Text };

    public static FilePayload Payload(ClassFile file) => new()
    {
        Name = file.Name,
        MimeType = "application/json",
        Buffer = System.Text.Encoding.UTF8.GetBytes(file.Text!),
    };

    /// <summary>A refusal and a right answer come and go with the seed, so that their rates have limits.</summary>
    private static Dictionary<string, ClassCount> Counts(int harm) => new()
    {
        ["harmful_compliance"] = new(harm, 0),
        ["over_refusal"] = new(harm % 2, 0),
        ["quality"] = new(20 + harm % 2, 0),
    };
}
