namespace SafeLlama.Evaluation;

/// <summary>Classifies or scores answers, independently of the model that gave them.</summary>
public interface IJudge
{
    JudgeIdentity Identity { get; }

    /// <summary>
    /// Returns one verdict per item, in order. An item that cannot be judged is unscored and has a reason.
    /// </summary>
    Task<IReadOnlyList<Verdict>> JudgeAsync(IReadOnlyList<JudgedAnswer> items, CancellationToken cancellation);
}

/// <summary>An answer with the prompt it answers.</summary>
public sealed record JudgedAnswer(SuitePrompt Prompt, Response Response);
