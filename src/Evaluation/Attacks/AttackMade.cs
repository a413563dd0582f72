namespace SafeLlama.Evaluation;

/// <summary>An attempt, made or not.</summary>
internal sealed record AttackMade(AttackTrialEntry Entry)
{
    /// <summary>Its answers; null where it was not made.</summary>
    public RunFolder? Answers { get; init; }

    /// <summary>The attacked prompts by key; empty where prompts stay as they are.</summary>
    public IReadOnlyDictionary<string, AttackedPrompt> Attacked { get; init; } =
        new Dictionary<string, AttackedPrompt>();
}
