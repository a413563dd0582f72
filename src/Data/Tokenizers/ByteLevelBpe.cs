using System.Text;

namespace SafeLlama.Data;

/// <summary>LLaMA 3's tokenizer from <c>tokenizer.json</c>: words by expression, bytes joined within each.</summary>
/// <remarks>
/// Text tokens are spelled as their bytes, U+0000 … U+00FF. All 256 bytes are tokens, so any text can be written.
/// Radford et al. 2019, "Language models are unsupervised multitask learners", section 2.2.
/// </remarks>
internal sealed class ByteLevelBpe : VocabularyTokenizer
{
    private readonly BpeMerges _merges;
    private readonly WordSplitter _splitter;
    private readonly bool _ignoreMerges;
    private readonly bool _prefixSpace;
    private readonly WordCache _words;

    /// <param name="vocabulary">Tokens spelled as bytes, and control tokens.</param>
    /// <param name="merges">Which symbols join.</param>
    /// <param name="splitter">Divides a text into words.</param>
    /// <param name="ignoreMerges">Whether a word that is a token is taken whole, by whatever merges.</param>
    /// <param name="prefixSpace">Whether a text that does not begin with a space gets one.</param>
    /// <param name="ends">BOS and EOS.</param>
    public ByteLevelBpe(
        Vocabulary vocabulary,
        BpeMerges merges,
        WordSplitter splitter,
        bool ignoreMerges,
        bool prefixSpace,
        SequenceTokens ends)
        : base(vocabulary, ends)
    {
        (_merges, _splitter, _ignoreMerges, _prefixSpace) = (merges, splitter, ignoreMerges, prefixSpace);
        _words = new WordCache(EncodeWord);
    }

    internal BpeMerges Merges => _merges;

    internal IReadOnlyList<string> Patterns => _splitter.Patterns;

    internal bool IgnoreMerges => _ignoreMerges;

    internal bool PrefixSpace => _prefixSpace;

    /// <summary>A token that is a word by itself and that merges alone do not make; null where there is none.</summary>
    internal string? Unreached => Vocabulary.Text
        .Where(token => Made(token.Key) is not [var id] || id != token.Value)
        .Select(token => Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(token.Key)))
        .FirstOrDefault(word => !word.Contains('\uFFFD') && _splitter.Split(word) is [_]);

    public override IReadOnlyList<int> Encode(string text)
    {
        var whole = UnicodeText.WellFormed(text);
        if (_prefixSpace && whole.Length > 0 && !char.IsWhiteSpace(whole[0]))
        {
            whole = " " + whole;
        }

        var ids = new List<int>(whole.Length / 3);
        foreach (var (start, length) in _splitter.Split(whole))
        {
            ids.AddRange(_words.Ids(whole.AsSpan(start, length)));
        }

        return ids.ToArray();
    }

    protected override IIncrementalDecoder StartDecoding(bool keepControl) =>
        new ByteLevelDecoder(Vocabulary, keepControl);

    protected override IEnumerable<string> Settings() => _merges.InOrder
        .Select(m => $"{m.Left} {m.Right} {m.Rank} {m.Id}")
        .Prepend($"byte-level ignore_merges {_ignoreMerges} prefix {_prefixSpace}")
        .Concat(_splitter.Patterns);

    private int[] EncodeWord(ReadOnlySpan<char> word)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(word)];
        Encoding.UTF8.GetBytes(word, bytes);
        var spelling = ByteAlphabet.Latin1(bytes).AsSpan();
        if (_ignoreMerges && Vocabulary.TryText(spelling, out var whole))
        {
            return [whole];
        }

        return Made(spelling);
    }

    /// <summary>What merges make of bytes.</summary>
    private int[] Made(ReadOnlySpan<char> spelling)
    {
        var symbols = new List<int>(spelling.Length);
        for (var i = 0; i < spelling.Length; i++)
        {
            Vocabulary.TryText(spelling.Slice(i, 1), out var id); // all 256 are there: checked when the file was read
            symbols.Add(id);
        }

        _merges.Apply(symbols);
        return [.. symbols];
    }
}
