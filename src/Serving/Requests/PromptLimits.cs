using SafeLlama.Common;
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
    /// <exception cref="SafeLlamaException">It has no tokens, ids that there are not, or too many.</exception>
    public static int Check(ServingEngine engine, int[] prompt, int? asked, string field)
    {
        var (most, vocabulary) = (engine.Settings.MaxTokens, engine.Session.Model.Config.VocabularySize);
        if (asked > most)
        {
            throw SafeLlamaException.Usage($"'{field}' is {asked}, and answers have at most {most} tokens here.");
        }

        if (prompt.Length == 0)
        {
            throw SafeLlamaException.InvalidData("The prompt has no tokens.");
        }

        foreach (var id in prompt)
        {
            if ((uint)id >= (uint)vocabulary)
            {
                throw SafeLlamaException.InvalidData(
                    $"The prompt's token id {id} is outside the model's vocabulary of {vocabulary}.");
            }
        }

        var room = engine.MaxLength - prompt.Length;
        if (prompt.Length > engine.MaxPrompt || room < (asked ?? 1))
        {
            throw SafeLlamaException.DoesNotFit(
                $"The prompt has {prompt.Length} tokens and the answer may have {asked ?? 1}; there is room for "
                + $"prompts of {engine.MaxPrompt} and for {engine.MaxLength} tokens together.");
        }

        return asked ?? Math.Min(most, room);
    }

    /// <summary>
    /// Refuses a request that would take more than half of the queue of an idle engine, before anything is made for it.
    /// </summary>
    public static void CheckCount(ServingEngine engine, int prompts, int choices)
    {
        var most = engine.Settings.MostOfOneRequest;
        if ((long)prompts * choices > most)
        {
            throw SafeLlamaException.Usage(
                $"The request asks for {(long)prompts * choices} answers, {prompts} prompts with {choices} each; this "
                + $"server takes at most {most} of one request: its {engine.Settings.Slots} slots and half of its "
                + $"queue of {engine.Settings.Queue}.");
        }
    }

    /// <summary>BOS, where the model has one, and a text.</summary>
    public static int[] WithBegin(ITokenizer tokenizer, string text) =>
        SegmentEncoder.Ids(tokenizer, [PromptSegment.Begin, PromptSegment.User(text)]);
}
