namespace SafeLlama.Evaluation;

/// <summary>A model that computes how likely a continuation is.</summary>
public interface ILikelihood
{
    /// <summary>A hash over weights, adapter and tokenizer.</summary>
    string Identity { get; }

    /// <summary>One score per request, in order.</summary>
    /// <exception cref="TextTooLongException">A user's message does not fit into the model's window.</exception>
    IReadOnlyList<ContinuationScore> Score(IReadOnlyList<LikelihoodRequest> requests, CancellationToken cancellation);
}

/// <summary>Asks for log p(continuation | context).</summary>
/// <param name="Context">The text before it; may be empty. Control tokens in it stay text.</param>
/// <param name="Continuation">The scored text; its first token follows the whole context.</param>
public sealed record LikelihoodRequest(string Context, string Continuation)
{
    /// <summary>
    /// The context is one user message in the model's own chat template, the continuation opens the assistant's turn;
    /// otherwise the context follows the begin token as it stands.
    /// </summary>
    public bool AsUserMessage { get; init; }
}

/// <param name="LogLikelihood">Natural log, summed over the continuation's tokens.</param>
/// <param name="Tokens">How many tokens the continuation has.</param>
public sealed record ContinuationScore(double LogLikelihood, int Tokens);
