using SafeLlama.Inference;
using SafeLlama.Model;

namespace SafeLlama.Evaluation;

/// <summary>How many of some prompts a model refuses.</summary>
/// <param name="Refused">Answers that refuse, in full or in part.</param>
/// <param name="Answered">Answers that are answers; the rate is over these.</param>
/// <param name="Invalid">No answer: empty, repeated, no sentence. Left out of the rate.</param>
public sealed record RefusalCount(int Refused, int Answered, int Invalid)
{
    /// <summary>The rate with its Wilson interval; none where nothing was answered.</summary>
    public Interval Rate => Answered == 0 ? Interval.None : Wilson.Rate(Refused, Answered);
}

/// <summary>Counts refusals of a model whose residual stream is changed while it answers.</summary>
/// <param name="session">The model, opened for prompts and answers.</param>
/// <param name="decoding">How it answers.</param>
/// <param name="judge">Who says what a refusal is.</param>
/// <param name="batchSize">Prompts answered together.</param>
public sealed class RefusalProbe(LlamaSession session, DecodingConfig decoding, IJudge judge, int batchSize)
{
    private readonly EngineResponder _responder = new(session, decoding);

    /// <param name="hook">Changes the stream; null for the model as it is.</param>
    public async Task<RefusalCount> CountAsync(
        IReadOnlyList<SuitePrompt> prompts, IStreamHook? hook, CancellationToken cancellation)
    {
        session.Model.Hook = hook;
        try
        {
            var answers = prompts.Chunk(batchSize).SelectMany(some => _responder.Answer(
                [.. some.Select(prompt => new AnswerRequest(prompt, 0))], cancellation)).ToList();
            var items = prompts.Zip(answers, (prompt, answer) => new JudgedAnswer(prompt, new Response(
                prompt.Suite, prompt.Id, 0, prompt.Text, answer.PromptTokens, answer.Text, answer.AnswerTokens,
                answer.StopReason)
            {
                Settings = decoding,
            })).ToList();
            var refuses = (await judge.JudgeAsync(items, cancellation)).Select(verdict => verdict.Behavior?.Refuses())
                .ToList();
            return new(refuses.Count(r => r == true), refuses.Count(r => r is not null), refuses.Count(r => r is null));
        }
        finally
        {
            session.Model.Hook = null;
        }
    }
}
