using System.Text.Json.Serialization;

namespace SafeLlama.Evaluation;

/// <summary>What a search found, as <c>search.jsonl</c> keeps it.</summary>
/// <param name="Prompt">The prompt's key.</param>
/// <param name="Suffix">The text behind the request: untrusted text.</param>
/// <param name="Tokens">The tokens of the suffix.</param>
/// <param name="StartLoss">Of the wanted answer with the first suffix, in nats a token.</param>
/// <param name="Loss">With the suffix found.</param>
/// <param name="Tried">Suffixes whose loss was computed.</param>
/// <param name="NotReadBack">Suffixes dropped since their text is read as other tokens.</param>
/// <param name="LastStep">The step that last improved the loss; 0 for none.</param>
public sealed record SuffixFound(
    string Prompt, string Suffix, IReadOnlyList<int> Tokens, double StartLoss, double Loss, int Tried, int NotReadBack,
    int LastStep) : IKeyed
{
    [JsonIgnore]
    public string Key => Prompt;
}
