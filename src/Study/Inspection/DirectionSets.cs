using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>The harmful and the harmless prompts of a study that are worded alike.</summary>
/// <param name="Wording">How they are worded.</param>
/// <param name="Harmful">Unsafe prompts.</param>
/// <param name="Harmless">Ordinary prompts.</param>
internal sealed record DirectionSets(
    PromptFormat Wording, IReadOnlyList<StudyPrompt> Harmful, IReadOnlyList<StudyPrompt> Harmless)
{
    /// <summary>The most prompts of a set, spread evenly over it.</summary>
    public const int Most = 40;

    /// <summary>With fewer a mean is mostly the topics of its prompts.</summary>
    public const int Fewest = 8;

    /// <summary>One for each wording in which the study asks enough prompts of both kinds.</summary>
    /// <remarks>
    /// Harmless are the prompts of a suite named as an unsafe one with <c>benign</c> in place of <c>unsafe</c>, so that
    /// the two ask for the same kind of thing; else all benign ones; else those that are safe.
    /// </remarks>
    public static IReadOnlyList<DirectionSets> Of(IReadOnlyList<StudyPrompt> prompts) =>
    [
        .. prompts.GroupBy(p => p.Form).OrderBy(g => g.Key).Select(same => Of(same.Key, [.. same]))
            .Where(sets => sets.Harmful.Count >= Fewest && sets.Harmless.Count >= Fewest),
    ];

    private static DirectionSets Of(PromptFormat wording, IReadOnlyList<StudyPrompt> prompts)
    {
        StudyPrompt[] Labeled(PromptLabel label) => [.. prompts.Where(p => p.Label == label)];
        var harmful = Labeled(PromptLabel.Unsafe);
        var counterparts = harmful
            .Select(p => p.Suite.Replace("unsafe", "benign", StringComparison.Ordinal)).ToHashSet();
        var benign = Labeled(PromptLabel.Benign);
        var harmless = new[] { [.. benign.Where(p => counterparts.Contains(p.Suite))], benign }
            .FirstOrDefault(set => set.Length >= Fewest) ?? Labeled(PromptLabel.Safe);
        return new(wording, Spread(harmful), Spread(harmless));
    }

    private static StudyPrompt[] Spread(StudyPrompt[] all) => all.Length <= Most ? all
        : [.. Enumerable.Range(0, Most).Select(i => all[i * all.Length / Most])];
}
