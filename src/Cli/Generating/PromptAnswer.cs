using SafeLlama.Evaluation;
using SafeLlama.Inference;

namespace SafeLlama.Cli;

/// <summary>What an answer was made with, as far as it decides the answer.</summary>
/// <param name="Model">The model's folder, as given.</param>
/// <param name="Template">The prompt's form.</param>
/// <param name="Decoding">How tokens were chosen.</param>
/// <param name="Adapter">The adapter's folder; absent without one.</param>
/// <param name="Load">What the model's linears became; absent where they stay as stored.</param>
internal sealed record AnswerSource(
    string Model, string Template, DecodingConfig Decoding, string? Adapter = null, string? Load = null);

/// <summary>One answer of <c>generate</c>, as a line of JSON.</summary>
/// <param name="Id">The row's id.</param>
/// <param name="Prompt">The row's question.</param>
/// <param name="Response">The answer.</param>
/// <param name="PromptTokens">Tokens of the prompt, its template included.</param>
/// <param name="ResponseTokens">Tokens of the answer, its end included.</param>
/// <param name="Stop"><c>end</c>, or <c>length</c> where the answer was cut at the most tokens.</param>
/// <param name="LogLikelihood">Of the answer, in nats.</param>
/// <param name="Row">The row's number among the prompts, from 1.</param>
internal sealed record PromptAnswer(
    string Id, string Prompt, string Response, int PromptTokens, int ResponseTokens, string Stop, double LogLikelihood,
    int Row)
    : IKeyed
{
    /// <summary>What the answer was made with.</summary>
    public required AnswerSource Source { get; init; }

    [System.Text.Json.Serialization.JsonIgnore]
    public string Key => $"row {Row}";
}
