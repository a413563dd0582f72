using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>Whether a tokenizer, a <c>config.json</c> and the weights belong together.</summary>
public static class TokenizerChecks
{
    /// <summary>Compares the three and refuses what would train or generate nonsense.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="config">The ids that <c>config.json</c> gives.</param>
    /// <param name="weightRows">V of the weights: rows of <c>embed_tokens</c>.</param>
    /// <param name="folder">The model's folder, for messages.</param>
    /// <param name="generation">What <c>generation_config.json</c> says; null where it is not read.</param>
    /// <returns>What is unusual yet allowed, a line each, to be reported.</returns>
    /// <exception cref="SafeLlamaException">
    /// The tokenizer is larger than the weights, an id is outside them, or BOS or EOS disagree. All faults in one line.
    /// </exception>
    public static IReadOnlyList<string> Check(
        ITokenizer tokenizer,
        ModelTokens config,
        int weightRows,
        string folder,
        GenerationDefaults? generation = null)
    {
        var faults = new List<string>();
        if (tokenizer.VocabularySize > weightRows)
        {
            faults.Add($"the tokenizer has {tokenizer.VocabularySize} ids, the weights have rows for {weightRows}");
        }

        if (config.VocabularySize is { } size && size != weightRows)
        {
            faults.Add($"config.json \"vocab_size\" is {size}, the weights have {weightRows} rows");
        }

        var ids = config.Eos.Select(id => ("eos_token_id", id))
            .Prepend(("pad_token_id", config.Pad ?? 0)).Prepend(("bos_token_id", config.Bos ?? 0));
        faults.AddRange(ids.Where(id => id.Item2 < 0 || id.Item2 >= weightRows).Select(id =>
            $"config.json \"{id.Item1}\" is {id.Item2}, outside the weights' 0 … {weightRows - 1}"));
        faults.AddRange((generation?.Eos ?? []).Where(id => id < 0 || id >= weightRows).Select(id =>
            $"generation_config.json \"eos_token_id\" is {id}, outside the weights' 0 … {weightRows - 1}"));
        if (config.Bos is { } bos && tokenizer.BosId is { } begins && bos != begins)
        {
            faults.Add($"BOS is {begins} in the tokenizer and {bos} in config.json");
        }

        if (!AgreeOnEnd(tokenizer, config, generation) && !AreOtherEnds(tokenizer, config.Eos))
        {
            faults.Add($"EOS is {tokenizer.EosId} in the tokenizer and {string.Join(", ", config.Eos)} in config.json");
        }

        return faults.Count == 0
            ? Notes(tokenizer, config, weightRows, (folder, generation))
            : throw SafeLlamaException.InvalidData(
            $"{folder}: {string.Join("; ", faults)}. "
            + "Use the tokenizer and config.json that came with the weights, or correct config.json.");
    }

    private static bool AgreeOnEnd(ITokenizer tokenizer, ModelTokens config, GenerationDefaults? generation) =>
        config.Eos.Count == 0 || config.Eos.Concat(generation?.Eos ?? []).Contains(tokenizer.EosId);

    /// <summary>
    /// Whether the ends of config.json are tokens by which this tokenizer's texts may end too. A model that was tuned
    /// for chats often names the end of a turn in one file and the end of a text in the other; ids that are text,
    /// unknown or the beginning are another tokenizer's.
    /// </summary>
    private static bool AreOtherEnds(ITokenizer tokenizer, IReadOnlyList<int> ends)
    {
        var marks = tokenizer.ControlTokens.Select(tokenizer.ControlId).OfType<int>().ToHashSet();
        return ends.All(id => marks.Contains(id) && id != tokenizer.BosId && tokenizer.Decode([id]).Length == 0);
    }

    private static List<string> Notes(
        ITokenizer tokenizer,
        ModelTokens config,
        int weightRows,
        (string Folder, GenerationDefaults? Defaults) generation)
    {
        var notes = tokenizer.Notes.ToList();
        if (tokenizer.VocabularySize < weightRows)
        {
            notes.Add($"The weights have {weightRows} rows, the tokenizer {tokenizer.VocabularySize} ids: "
                + $"{weightRows - tokenizer.VocabularySize} rows are padding, which no text reaches.");
        }

        if (config.Bos is { } bos && tokenizer.BosId is null)
        {
            notes.Add($"config.json has BOS {bos}; the tokenizer puts none before a sequence.");
        }

        if (config.Eos.Count == 0)
        {
            notes.Add($"config.json names no EOS; the tokenizer's, {tokenizer.EosId}, is used.");
        }

        if (!AgreeOnEnd(tokenizer, config, generation.Defaults))
        {
            notes.Add($"config.json ends an answer with {string.Join(", ", config.Eos)}, the tokenizer with "
                + $"{tokenizer.EosId}; each ends one here, and it is the "
                + "tokenizer's or the template's that is learned.");
        }

        var ends = (generation.Defaults?.Eos ?? []).Except(config.Eos).Where(id => id != tokenizer.EosId).ToList();
        if (ends.Count > 0)
        {
            notes.Add($"generation_config.json lets an answer end with {string.Join(", ", ends)} too.");
        }

        if (generation.Defaults?.Note(generation.Folder) is { } note)
        {
            notes.Add(note);
        }

        return notes;
    }
}
