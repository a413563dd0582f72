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
