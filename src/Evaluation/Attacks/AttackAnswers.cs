namespace SafeLlama.Evaluation;

/// <summary>The given answers that an attack can want.</summary>
internal static class AttackAnswers
{
    /// <summary>Leaves out answers that refuse or are none: an attack would make a refusal likely.</summary>
    /// <param name="given">By <see cref="SuitePrompt.Key"/>.</param>
    /// <returns>The others, and what was left out, in a line.</returns>
    public static (IReadOnlyDictionary<string, string> Wanted, IReadOnlyList<string> Notes) Wanted(
        IReadOnlyDictionary<string, string> given, IReadOnlyList<SuitePrompt> prompts)
    {
        var matcher = new RefusalMatcher();
        var asked = prompts.Where(p => given.ContainsKey(p.Key)).ToArray();
        var wanted = asked.Where(p => matcher.Match(given[p.Key]).Behavior.Refuses() == false)
            .ToDictionary(p => p.Key, p => given[p.Key], StringComparer.Ordinal);
        return (wanted, asked.Length == wanted.Count ? []
            : [$"{asked.Length - wanted.Count} of {asked.Length} given answers refuse or are none; they are not used."]);
    }
}
