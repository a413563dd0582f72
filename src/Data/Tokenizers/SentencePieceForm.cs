namespace SafeLlama.Data;

/// <summary>How a SentencePiece-like tokenizer treats what stands before, between and under its pieces.</summary>
/// <remarks>
/// The same vocabulary is read differently by SentencePiece itself (<c>tokenizer.model</c>) and by Hugging Face's fast
/// form (<c>tokenizer.json</c>); ids agree, the text of broken byte sequences does not.
/// </remarks>
internal sealed record SentencePieceForm
{
    /// <summary>The visible space, U+2581: pieces carry the space before a word in their spelling.</summary>
    public const char Space = '▁';

    /// <summary>What is put before the text so that its first word looks like every other word.</summary>
    public PrefixSpace Prefix { get; init; } = PrefixSpace.Always;

    /// <summary>Whether only a text that begins the sequence gets that space.</summary>
    public bool PrefixFirstOnly { get; init; }

    /// <summary>Whether spaces become ▁ here; otherwise a normalizer has done it, or nothing does.</summary>
    public bool EscapesSpaces { get; init; } = true;

    /// <summary>Whether spaces at the ends of a text are dropped, and runs of them become one.</summary>
    public bool RemovesExtraSpaces { get; init; }

    /// <summary>Pieces that are found as they stand, before anything is joined.</summary>
    public IReadOnlyList<(string Piece, int Id)> WholePieces { get; init; } = [];

    /// <summary>Whether every ▁ begins a new word that nothing may be joined across.</summary>
    public bool SplitAtSpaces { get; init; }

    /// <summary>Whether decoding takes the first space away again.</summary>
    public bool StripsPrefix { get; init; } = true;

    /// <summary>
    /// Whether a broken byte spoils its whole run of byte tokens (Hugging Face), or only itself (SentencePiece).
    /// </summary>
    public bool BytesByRun { get; init; }

    /// <summary>The text that the unknown token decodes to.</summary>
    public string UnknownText { get; init; } = "";

    /// <summary>The form as the hash has it: what is off in most tokenizers is not named.</summary>
    /// <param name="model">Whose merges the form surrounds.</param>
    /// <param name="normalizer">What is done to a text before.</param>
    public string Settings(BpeModel model, TextNormalizer normalizer)
    {
        var prefix = normalizer.IsLlamas && Prefix == PrefixSpace.Never ? PrefixSpace.Always : Prefix;
        var text = $"sentencepiece SentencePieceForm {{ Prefix = {prefix}, SplitAtSpaces = {SplitAtSpaces}, "
            + $"IgnoreMerges = {model.IgnoreMerges}, FuseUnknown = {model.FuseUnknown}, "
            + $"StripsPrefix = {StripsPrefix}, BytesByRun = {BytesByRun}, UnknownText = {UnknownText} }} "
            + $"unknown {model.Unknown}";
        (bool Is, string What)[] rest =
        [
            (PrefixFirstOnly, " first only"),
            (RemovesExtraSpaces, " extra spaces removed"),
            (!EscapesSpaces && !normalizer.IsLlamas, " spaces stay"),
            (!model.ByteFallback, " no bytes"),
            (WholePieces.Count > 0, $" whole {string.Join(' ', WholePieces)}"),
            (!normalizer.IsLlamas && normalizer.Steps.Count > 0, $" normalizer {string.Join(' ', normalizer.Steps)}"),
        ];
        return text + string.Concat(rest.Where(r => r.Is).Select(r => r.What));
    }
}

/// <summary>When a text gets a space before its first word.</summary>
internal enum PrefixSpace
{
    Always,

    /// <summary>Only a text that does not begin with one.</summary>
    WhereMissing,
    Never,
}
