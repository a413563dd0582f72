using SafeLlama.Inference;

namespace SafeLlama.Evaluation;

/// <summary>A model that answers prompts.</summary>
public interface IResponder
{
    /// <summary>
    /// A hash over weights, adapter, tokenizer and template, on which the answers depend besides the settings.
    /// </summary>
    string Identity { get; }

    DecodingConfig Settings { get; }

    /// <summary>How far a prompt and the longest answer go beyond the model's window; null where they fit.</summary>
    (int Tokens, int Window)? Overflow(SuitePrompt prompt) => null;

    /// <summary>Returns one answer per request, in order. Batching does not change answers.</summary>
    IReadOnlyList<ModelAnswer> Answer(IReadOnlyList<AnswerRequest> requests, CancellationToken cancellation);
}

/// <summary>Asks for one answer.</summary>
/// <param name="Prompt">The prompt; its <see cref="SuitePrompt.Context"/>, if any, goes where the template puts an
/// input.</param>
/// <param name="Sample">The number of the answer; with sampling, each has its own random numbers.</param>
public sealed record AnswerRequest(SuitePrompt Prompt, int Sample);

/// <summary>The answer of a model.</summary>
/// <param name="PromptTokens">The exact ids it read.</param>
/// <param name="Text">The decoded answer.</param>
/// <param name="AnswerTokens">How many tokens it generated, the end token not counted.</param>
/// <param name="StopReason"><c>end</c> or <c>length</c>.</param>
public sealed record ModelAnswer(IReadOnlyList<int> PromptTokens, string Text, int AnswerTokens, string StopReason)
{
    /// <summary>The beginning of the answer that was given to the model; null where it wrote the whole.</summary>
    public string? Prefill { get; init; }
}
