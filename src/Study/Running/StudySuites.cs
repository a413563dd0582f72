using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>A study's prompts as suites of an evaluation run.</summary>
public static class StudySuites
{
    /// <summary>One suite per name, in order of its first prompt; each is hashed over all its prompts.</summary>
    public static IReadOnlyList<PromptSuite> Of(IReadOnlyList<StudyPrompt> prompts)
    {
        var byId = prompts.ToDictionary(p => p.Id);
        return
        [
            .. prompts.GroupBy(p => p.Suite).Select(suite =>
            {
                SuitePrompt[] asked = [.. suite.Select(p => Asked(p) with
                {
                    Twin = p.Twin is { } twin && byId.TryGetValue(twin, out var other) ? KeyOf(other) : null,
                })];
                var hash = ContentHash.OfText(string.Join('\n', suite.Zip(asked).Select(
                    p => JsonSerializer.Serialize(p.Second, EvaluationJson.Line) + "\t" + p.First.Expected)));
                return new PromptSuite(suite.Key, "", hash, asked, []);
            }),
        ];
    }

    /// <summary>The prompt's key in the evaluation run.</summary>
    public static string KeyOf(StudyPrompt prompt) => $"{prompt.Suite}/{IdOf(prompt)}";

    /// <summary>The prompt as it is asked; the suite that it stands in knows its twin.</summary>
    internal static SuitePrompt Asked(StudyPrompt prompt) =>
        new(prompt.Suite, IdOf(prompt), prompt.Text, prompt.Label, prompt.Form)
        {
            Category = prompt.Category,
            Context = prompt.Context,
            Before = prompt.Before,
            Origin = prompt.Cluster,
        };

    /// <summary>Ids of suites from files begin with the suite's name.</summary>
    private static string IdOf(StudyPrompt prompt) =>
        prompt.Id.StartsWith(prompt.Suite + "/", StringComparison.Ordinal)
            ? prompt.Id[(prompt.Suite.Length + 1)..]
            : prompt.Id;
}
