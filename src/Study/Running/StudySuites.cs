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
                SuitePrompt[] asked = [.. suite.Select(p => Asked(p, byId))];
                var hash = ContentHash.OfText(string.Join('\n', suite.Zip(asked).Select(
                    p => JsonSerializer.Serialize(p.Second, EvaluationJson.Line) + "\t" + p.First.Expected)));
                return new PromptSuite(suite.Key, "", hash, asked, []);
            }),
        ];
    }

    /// <summary>The prompt's key in the evaluation run.</summary>
    public static string KeyOf(StudyPrompt prompt) => $"{prompt.Suite}/{IdOf(prompt)}";

    private static SuitePrompt Asked(StudyPrompt prompt, Dictionary<string, StudyPrompt> byId) =>
        new(prompt.Suite, IdOf(prompt), prompt.Text, prompt.Label, prompt.Form)
        {
            Category = prompt.Category,
            Context = prompt.Context,
            Origin = prompt.Cluster,
            Twin = prompt.Twin is { } twin && byId.TryGetValue(twin, out var other) ? KeyOf(other) : null,
        };

    /// <summary>Ids of suites from files begin with the suite's name.</summary>
    private static string IdOf(StudyPrompt prompt) =>
        prompt.Id.StartsWith(prompt.Suite + "/", StringComparison.Ordinal)
            ? prompt.Id[(prompt.Suite.Length + 1)..]
            : prompt.Id;
}
