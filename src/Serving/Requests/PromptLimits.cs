using SafeLlama.Data;

namespace SafeLlama.Serving;

/// <summary>Holds prompts and answers to the engine's sizes.</summary>
internal static class PromptLimits
{
    /// <summary>The model of an id.</summary>
    public static ServedModel Model(ServingEngine engine, RequestFields fields)
    {
        var id = RequestFields.TextOf(fields.Require("model"), "model");
        return engine.Models.FirstOrDefault(m => m.Id == id) ?? throw new ApiException(
            404,
            $"The model '{(id.Length > 64 ? id[..64] + "…" : id)}' does not exist; there are "
            + $"{string.Join(", ", engine.Models.Select(m => m.Id))}.",
            "model", "model_not_found");
    }

    /// <summary>Checks one prompt, and gives the most tokens of its answer.</summary>
    /// <param name="asked">As the request says; null for as many as may be.</param>
    /// <param name="field">The field that said it.</param>
    public static int Check(ServingEngine engine, int[] prompt, int? asked, string field)
    {
        var most = engine.Settings.MaxTokens;
        if (asked > most)
        {
            throw new ApiException(
                400, $"'{field}' is {asked}, and this server answers with at most {most} tokens.", field);
        }

        if (prompt.Length == 0)
        {
            throw new ApiException(400, "The prompt has no tokens.", "prompt");
        }

        if (prompt.FirstOrDefault(id => (uint)id >= (uint)engine.Session.Model.Config.VocabularySize, -1) is var id
            && Array.Exists(prompt, t => (uint)t >= (uint)engine.Session.Model.Config.VocabularySize))
        {
            throw new ApiException(
                400,
                $"The token id {id} is outside the vocabulary of {engine.Session.Model.Config.VocabularySize}.",
                "prompt");
        }

        var room = engine.MaxLength - prompt.Length;
        if (prompt.Length > engine.MaxPrompt || room < (asked ?? 1))
        {
            throw new ApiException(
                400,
                $"The prompt has {prompt.Length} tokens and the answer may have {asked ?? 1}; this server takes "
                + $"prompts of {engine.MaxPrompt} and {engine.MaxLength} tokens together.",
                "prompt", "context_length_exceeded");
        }

        return asked ?? Math.Min(most, room);
    }

    /// <summary>BOS, where the model has one, and a text.</summary>
    public static int[] WithBegin(ITokenizer tokenizer, string text) =>
        SegmentEncoder.Ids(tokenizer, [PromptSegment.Begin, PromptSegment.User(text)]);
}
