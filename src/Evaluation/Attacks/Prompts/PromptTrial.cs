namespace SafeLlama.Evaluation;

/// <summary>An attack that changes what is sent to the model, and leaves the model as it is.</summary>
public abstract class PromptTrial : IAttackTrial
{
    public abstract string Attack { get; }

    public abstract string Setting { get; }

    public abstract string About { get; }

    public abstract string Identity { get; }

    public bool ChangesModel => false;

    public virtual AttackLoad Load(SuitePrompt prompt, long seed) => new(prompt.Text);

    public virtual PreparedAttack Prepare(
        AttackContext context, string folder, IProgress<EvaluationProgress>? progress,
        CancellationToken cancellation)
    {
        var attacked = new Dictionary<string, AttackedPrompt>(StringComparer.Ordinal);
        foreach (var prompt in context.Prompts)
        {
            cancellation.ThrowIfCancellationRequested();
            if (Apply(context, prompt) is { } changed)
            {
                attacked.Add(prompt.Key, changed);
            }
        }

        return Prepared(context, attacked);
    }

    /// <summary>The prompt as the attack sends it; null where it has nothing to send.</summary>
    protected abstract AttackedPrompt? Apply(AttackContext context, SuitePrompt prompt);

    /// <summary>What is left out or unusual is counted.</summary>
    protected PreparedAttack Prepared(AttackContext context, Dictionary<string, AttackedPrompt> attacked)
    {
        var (window, all) = (context.Session.Model.MaxLength, context.Prompts.Count);
        var notes = new List<string>();
        if (all - attacked.Count is var without and > 0)
        {
            notes.Add($"{without} of {all} prompts: the attack has nothing to send; they are left out.");
        }

        string[] beyond = [.. attacked.Where(p => p.Value.Ids.Length + context.Decoding.MaxNewTokens > window)
            .Select(p => p.Key)];
        if (beyond.Length > 0)
        {
            notes.Add($"{beyond.Length} of {all} prompts: with the attack and {context.Decoding.MaxNewTokens} tokens "
                + $"for the answer, they do not fit into {window} tokens; they are left out.");
            Array.ForEach(beyond, key => attacked.Remove(key));
        }

        notes.AddRange(attacked.Values.SelectMany(p => p.Remarks).GroupBy(remark => remark)
            .Select(same => $"{same.Count()} of {all} prompts: {same.Key}"));
        return new(
            new AttackedResponder(context, Identity, attacked),
            [.. context.Prompts.Where(p => attacked.ContainsKey(p.Key))])
        {
            Notes = notes,
            Attacked = attacked,
        };
    }
}
