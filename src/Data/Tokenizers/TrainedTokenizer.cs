using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>A tokenizer fresh from training, to be used at once or written for later.</summary>
public sealed class TrainedTokenizer
{
    private readonly IReadOnlyList<(string Spelling, TokenKind Kind)> _tokens;
    private readonly IReadOnlyList<(int Left, int Right, int Id)> _merges;

    internal TrainedTokenizer(
        IReadOnlyList<(string Spelling, TokenKind Kind)> tokens,
        IReadOnlyList<(int Left, int Right, int Id)> merges,
        int words,
        int wholeWords)
    {
        (_tokens, _merges, Words, WholeWords) = (tokens, merges, words, wholeWords);
        Tokenizer = Build();
    }

    /// <summary>What encodes and decodes; what <see cref="TokenizerLoader"/> gives for the written folder.</summary>
    public ITokenizer Tokenizer { get; }

    /// <summary>The distinct words of the text that occur often enough.</summary>
    public int Words { get; }

    /// <summary>How many of them are a single piece.</summary>
    public int WholeWords { get; }

    /// <summary>
    /// Writes <c>tokenizer.json</c>, <c>tokenizer_config.json</c> and <c>special_tokens_map.json</c>, which Hugging
    /// Face's libraries read as a LLaMA tokenizer.
    /// </summary>
    /// <exception cref="SafeLlamaException">One of them is already there, or the folder cannot be written.</exception>
    public void Write(string folder)
    {
        TokenizerJsonWriter.MustBeAbsent(folder);
        FileErrors.Writing(folder, () => Directory.CreateDirectory(folder));
        TokenizerJsonWriter.Write(folder, _tokens, _merges);
    }

    private SentencePieceBpe Build()
    {
        var merges = new BpeMerges();
        foreach (var (left, right, id) in _merges)
        {
            merges.Add(left, right, merges.Count, id);
        }

        var model = new BpeModel(new Vocabulary(_tokens, "trained tokenizer"), merges)
        {
            Unknown = 0,
            FuseUnknown = true,
            ByteFallback = true,
        };
        return new SentencePieceBpe(model, new SentencePieceForm { BytesByRun = true }, new SequenceTokens(1, 2));
    }
}
