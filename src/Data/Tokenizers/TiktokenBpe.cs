using Microsoft.ML.Tokenizers;
using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>LLaMA 3's tokenizer from its original <c>tokenizer.model</c>, encoded by Microsoft.ML.Tokenizers.</summary>
/// <remarks>
/// The library is handed our words, so that characters beyond U+FFFF divide as they should, and no special token, so
/// that it cannot find one in a text. Decoding is ours: the library's gives up on bytes that are no UTF-8. Its merging
/// takes the square of a word's length, a minute for a word of 400,000 letters; with <c>tokenizer.json</c> beside the
/// file, which is preferred, such a word takes a fifth of a second.
/// </remarks>
internal sealed class TiktokenBpe : VocabularyTokenizer
{
    private readonly TiktokenTokenizer _library;

    /// <param name="path">The file, for errors.</param>
    /// <param name="content">The file's bytes, already checked by <see cref="TiktokenFile"/>.</param>
    /// <param name="vocabulary">Tokens spelled as bytes, and control tokens.</param>
    /// <param name="ends">BOS and EOS.</param>
    /// <param name="added">Tokens found before words are.</param>
    public TiktokenBpe(string path, byte[] content, Vocabulary vocabulary, SequenceTokens ends, AddedTokens added)
        : base(vocabulary, ends, added)
    {
        var words = new Words(new WordSplitter([new SplitRule(WordSplitter.Llama3)], path));
        try
        {
            _library = TiktokenTokenizer.Create(new MemoryStream(content), words, normalizer: null);
        }
        catch (Exception e) when (e is FormatException or ArgumentException or InvalidOperationException)
        {
            throw SafeLlamaException.InvalidData(
                $"{path}: its ranks are those of no tiktoken vocabulary. Download the file again.", e);
        }
    }

    protected override void EncodePart(string text, bool begins, List<int> ids) =>
        ids.AddRange(_library.EncodeToIds(text));

    protected override IIncrementalDecoder StartDecoding(bool keepControl) =>
        new ByteLevelDecoder(Vocabulary, keepControl);

    protected override IEnumerable<string> Settings() => ["tiktoken", WordSplitter.Llama3];

    private sealed class Words(WordSplitter splitter) : PreTokenizer
    {
        public override IEnumerable<(int Offset, int Length)> PreTokenize(string text) => splitter.Split(text);

        public override IEnumerable<(int Offset, int Length)> PreTokenize(ReadOnlySpan<char> text) =>
            splitter.Split(text.ToString());
    }
}
