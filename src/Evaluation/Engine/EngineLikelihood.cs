using SafeLlama.Inference;

namespace SafeLlama.Evaluation;

/// <summary>Computes the likelihood of continuations with the engine.</summary>
/// <remarks>
/// Context and continuation are encoded as one text and split at the context's token count. Spaces at the end of the
/// context go to the continuation, so that a word keeps its token. The public harness does both.
/// </remarks>
/// <param name="session">
/// The model, opened for the longest request; its template puts requests that are a user's message.
/// </param>
public sealed class EngineLikelihood(LlamaSession session) : ILikelihood, IDisposable
{
    private readonly Scorer _scorer = new(session.Model);

    public string Identity => session.Identity.Hash;

    public IReadOnlyList<ContinuationScore> Score(
        IReadOnlyList<LikelihoodRequest> requests, CancellationToken cancellation)
    {
        var scores = new List<ContinuationScore>();
        foreach (var request in requests)
        {
            cancellation.ThrowIfCancellationRequested();
            var (tokens, context) = request.AsUserMessage ? Message(request) : Text(request);
            if (request.AsUserMessage && tokens.Length > session.Model.MaxLength)
            {
                throw new TextTooLongException(tokens.Length, session.Model.MaxLength);
            }

            var logs = _scorer.LogLikelihoods(tokens);

            // logs[i] is that of tokens[i + 1].
            scores.Add(new(logs.AsSpan(context - 1).ToArray().Sum(), tokens.Length - context));
        }

        return scores;
    }

    public void Dispose() => _scorer.Dispose();

    private (int[] Tokens, int Context) Message(LikelihoodRequest request)
    {
        var context = session.PromptIds(request.Context);
        return ([.. context, .. session.Tokenizer.Encode(request.Continuation)], context.Length);
    }

    private (int[] Tokens, int Context) Text(LikelihoodRequest request)
    {
        int begin = session.Tokenizer.BosId ?? session.Tokenizer.EosId;
        var context = request.Context.TrimEnd(' ');
        var whole = session.Tokenizer.Encode(request.Context + request.Continuation);
        var before = context.Length == 0 ? 0 : session.Tokenizer.Encode(context).Count;
        return ([begin, .. whole], 1 + Math.Min(before, whole.Count - 1));
    }
}
