using SafeLlama.Common;
using SafeLlama.Inference;

namespace SafeLlama.Evaluation;

/// <summary>Answers prompts with the engine through a template.</summary>
/// <param name="session">
/// The model, opened for prompts and answers of the length asked for; a prompt's context goes where its template puts
/// an input.
/// </param>
/// <param name="settings">How it decodes.</param>
public sealed class EngineResponder(LlamaSession session, DecodingConfig settings) : IResponder
{
    private readonly Generator _generator = new(session.Model, session.Decoding(Fitting(session, settings)));

    public string Identity => session.Identity.Hash;

    public DecodingConfig Settings => settings;

    public IReadOnlyList<ModelAnswer> Answer(IReadOnlyList<AnswerRequest> requests, CancellationToken cancellation)
    {
        int[][] prompts = [.. requests.Select(r => Ids(r.Prompt))];
        var answers = settings.Temperature > 0
            ? [.. requests.Select((r, i) => _generator.Generate([prompts[i]], StreamOf(r), null, cancellation)[0])]
            : _generator.Generate(prompts, 0, null, cancellation);
        return [.. answers.Select((answer, i) => Read(prompts[i], answer))];
    }

    /// <summary>An answer length that leaves no room for a prompt is refused before any work.</summary>
    private static DecodingConfig Fitting(LlamaSession session, DecodingConfig settings) =>
        settings.MaxNewTokens < session.Model.MaxLength
            ? settings
            : throw SafeLlamaException.Usage(
                $"`{nameof(settings.MaxNewTokens)}` {settings.MaxNewTokens}: leaves no room for a prompt in the "
                + $"{session.Model.MaxLength} tokens that the model was opened for.",
                $"lower `{nameof(settings.MaxNewTokens)}`", "raise `MaxLength`");

    /// <summary>
    /// The random numbers of an answer depend only on its prompt and sample, not on its place in a batch.
    /// </summary>
    private static long StreamOf(AnswerRequest request) =>
        Convert.ToInt64(ContentHash.OfText($"{request.Prompt.Key}#{request.Sample}")[..15], 16);

    public (int Tokens, int Window)? Overflow(SuitePrompt prompt)
    {
        var tokens = Encode(prompt).Length + settings.MaxNewTokens;
        return tokens > session.Model.MaxLength ? (tokens, session.Model.MaxLength) : null;
    }

    private int[] Encode(SuitePrompt prompt) => session.PromptIds(prompt.Row());

    private int[] Ids(SuitePrompt prompt)
    {
        var ids = Encode(prompt);
        return ids.Length + settings.MaxNewTokens <= session.Model.MaxLength
            ? ids
            : throw SafeLlamaException.Usage(
                $"{prompt.Key}: has {ids.Length} tokens, and {settings.MaxNewTokens} more for the answer do not fit "
                + $"into the {session.Model.MaxLength} the model was opened for.",
                "raise `MaxLength`", "lower `MaxNewTokens`");
    }

    private ModelAnswer Read(int[] prompt, Generation answer)
    {
        var length = answer.Text.Count();
        return new(prompt, session.Decode(answer).Trim(), length, answer.Stop == StopReason.End ? "end" : "length");
    }
}
