using System.Text.Json.Serialization;
using SafeLlama.Inference;

namespace SafeLlama.Evaluation;

/// <summary>One answer of a model to one prompt, as <c>responses.jsonl</c> keeps it.</summary>
/// <param name="Suite">The prompt's suite.</param>
/// <param name="Id">The prompt's id within its suite.</param>
/// <param name="Sample">Which of the answers to this prompt, from 0.</param>
/// <param name="Prompt">The user's text.</param>
/// <param name="PromptTokens">The exact ids the model read; empty for answers made elsewhere.</param>
/// <param name="Answer">The decoded answer: untrusted text.</param>
/// <param name="AnswerTokens">How many tokens were generated; 0 for answers made elsewhere.</param>
/// <param name="StopReason"><c>end</c> for an end token, <c>length</c> for the limit, <c>unknown</c> for answers made
/// elsewhere.</param>
public sealed record Response(
    string Suite,
    string Id,
    int Sample,
    string Prompt,
    IReadOnlyList<int> PromptTokens,
    string Answer,
    int AnswerTokens,
    string StopReason) : IKeyed
{
    /// <summary>How it was decoded.</summary>
    public required DecodingConfig Settings { get; init; }

    /// <summary>The beginning that an attack gave to the model; it is part of <see cref="Answer"/> only where the
    /// attack says so.</summary>
    public string? Prefill { get; init; }

    /// <summary>The prompt's name among all suites.</summary>
    [JsonIgnore]
    public string PromptKey => $"{Suite}/{Id}";

    [JsonIgnore]
    public string Key => $"{Suite}/{Id}#{Sample}";
}
