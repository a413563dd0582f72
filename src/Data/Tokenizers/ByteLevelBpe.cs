using System.Text;

namespace SafeLlama.Data;

/// <summary>LLaMA 3's tokenizer from <c>tokenizer.json</c>: words by expression, bytes joined within each.</summary>
/// <remarks>
/// Text tokens are spelled as their bytes, U+0000 … U+00FF. Where all 256 bytes are tokens, any text can be written.
/// Radford et al. 2019, "Language models are unsupervised multitask learners", section 2.2.
/// </remarks>
internal sealed class ByteLevelBpe : VocabularyTokenizer
{
    private readonly BpeModel _model;
    private readonly WordSplitter _splitter;
    private readonly bool _prefixSpace;
    private readonly WordCache _words;

    /// <param name="model">Tokens spelled as bytes, and control tokens; which of them join.</param>
    /// <param name="splitter">Divides a text into words.</param>
    /// <param name="prefixSpace">Whether a text that does not begin with a space gets one.</param>
    /// <param name="ends">BOS and EOS.</param>
    /// <param name="added">Tokens found before words are.</param>
    public ByteLevelBpe(
        BpeModel model, WordSplitter splitter, bool prefixSpace, SequenceTokens ends, AddedTokens added)
        : base(model.Vocabulary, ends, added)
    {
        (_model, _splitter, _prefixSpace) = (model, splitter, prefixSpace);
        _words = new WordCache(EncodeWord);
    }

    internal BpeModel Model => _model;

    internal IReadOnlyList<string> Patterns => [.. _splitter.Patterns];

    internal bool PrefixSpace => _prefixSpace;

    /// <summary>A token that is a word by itself and that merges alone do not make; null where there is none.</summary>
    internal string? Unreached => Vocabulary.Text
        .Where(token => _model.Join(token.Key) is not [var id] || id != token.Value)
        .Select(token => Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(token.Key)))
        .FirstOrDefault(word => !word.Contains('\uFFFD') && _splitter.Split(word) is [_]);

    protected override void EncodePart(string text, bool begins, List<int> ids)
    {
        var whole = _prefixSpace && text[0] != ' ' ? " " + text : text;
        foreach (var (start, length) in _splitter.Split(whole))
        {
            ids.AddRange(_words.Ids(whole.AsSpan(start, length)));
        }
    }

    protected override IIncrementalDecoder StartDecoding(bool keepControl) =>
        new ByteLevelDecoder(Vocabulary, keepControl);

    protected override IEnumerable<string> Settings() => _model.Merges.InOrder
        .Select(m => $"{m.Left} {m.Right} {m.Rank} {m.Id}")
        .Prepend($"byte-level ignore_merges {_model.IgnoreMerges} prefix {_prefixSpace}")
        .Concat(_splitter.Patterns)
        .Concat(_model.Unknown is { } unknown ? [$"unknown {unknown} fused {_model.FuseUnknown}"] : []);

    private int[] EncodeWord(ReadOnlySpan<char> word)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(word)];
        Encoding.UTF8.GetBytes(word, bytes);
        return _model.Encode(ByteAlphabet.Latin1(bytes));
    }
}
