namespace SafeLlama.Inference;

/// <summary>One answer.</summary>
/// <param name="Tokens">Its tokens, the end token included where there is one.</param>
/// <param name="LogLikelihood">Σ log p of its tokens under the model, in nats, before any processing of logits.</param>
public sealed record Generation(IReadOnlyList<int> Tokens, StopReason Stop, double LogLikelihood)
{
    /// <summary>The answer without its end token.</summary>
    public IEnumerable<int> Text => Stop == StopReason.End ? Tokens.SkipLast(1) : Tokens;
}
