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
    string Model, string Template, DecodingConfig Decoding, string? Adapter = null, string? Load = null)
{
    /// <summary>Hash over the model's weights, configuration and tokenizer; absent where the answer is printed and not
    /// kept, and in files of earlier versions.</summary>
    public string? ModelHash { get; init; }

    /// <summary>Hash over the adapter's weights; absent without an adapter, and where the model's is.</summary>
    public string? AdapterHash { get; init; }

    /// <summary>What large products are computed in; absent where it is fp32, and where the model's hash is.</summary>
    public string? Arithmetic { get; init; }

    /// <summary>This source, with hashes of all that a session read.</summary>
    public AnswerSource WithHashesOf(ModelIdentity identity)
    {
        var adapter = identity.Facts.Where(f => f.Key.StartsWith("adapter ", StringComparison.Ordinal)).ToDictionary();
        var model = identity.Facts.Where(f => f.Key is "config.json" or "tokenizer"
            || f.Key.StartsWith("weights ", StringComparison.Ordinal)).ToDictionary();
        return this with
        {
            ModelHash = new ModelIdentity(model).Hash,
            AdapterHash = adapter.Count == 0 ? null : new ModelIdentity(adapter).Hash,
            Arithmetic = identity.Facts.GetValueOrDefault("arithmetic"),
        };
    }

    /// <summary>Whether another source has the same names and settings, whatever the hashes are.</summary>
    public bool HasSettingsOf(AnswerSource other) =>
        (this with
        {
            ModelHash = other.ModelHash,
            AdapterHash = other.AdapterHash,
            Arithmetic = other.Arithmetic,
        }) == other;

    /// <summary>What has changed in the files and the arithmetic behind the same names; null where nothing has, or
    /// where no hashes were recorded.</summary>
    public string? ChangeTo(AnswerSource now) => ModelHash is null ? null
        : Change("the hash of the model", ModelHash, now.ModelHash)
        ?? Change("the hash of the adapter", AdapterHash, now.AdapterHash)
        ?? Change("the arithmetic", Arithmetic ?? "float32", now.Arithmetic ?? "float32");

    private static string? Change(string name, string? was, string? found) =>
        was == found ? null : $"{name} was {was ?? "not there"} and is {found ?? "not there"} now";
}

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
