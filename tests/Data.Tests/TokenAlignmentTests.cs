using SafeLlama.Data.Tests.Tokenizers;

namespace SafeLlama.Data.Tests;

public sealed class TokenAlignmentTests
{
    private static readonly string[] Texts =
    [
        "Hello there.", " leading", "two  spaces\n\n\nand lines\t", "\nnew", "Ünïcödé 😀 日本語 👩‍👩‍👧", "<s> [INST] </s>",
        "a",
    ];

    [Test]
    public void Every_token_finds_its_characters(
        [Values("sp", "llama3")] string model, [ValueSource(nameof(Texts))] string text)
    {
        var tokenizer = TokenizerLoader.Load(Vectors.Model(model));

        var last = TokenAlignment.LastCharacters(tokenizer, tokenizer.Encode(text), text);

        Assert.That(last, Is.Not.Null);
        Assert.That(last, Is.Ordered);
        Assert.That(last![^1], Is.EqualTo(text.Length - 1));
    }

    /// <summary>
    /// Wherever the answer begins, its characters are learned, and of the prompt at most a token's worth.
    /// </summary>
    [Test]
    public void A_mask_covers_the_prompt_and_nothing_of_the_answer(
        [Values("sp", "llama3")] string model, [ValueSource(nameof(Texts))] string text)
    {
        var tokenizer = TokenizerLoader.Load(Vectors.Model(model));
        var encoder = new ExampleEncoder(tokenizer, PromptTemplate.Load("plain"), new EncodingOptions());
        for (var split = 1; split < text.Length; split++)
        {
            if (char.IsLowSurrogate(text[split]))
            {
                continue;
            }

            var example = encoder.Encode(new CompletionExample(text[..split], text[split..])).Example!;

            var pieces = ExampleView.Pieces(tokenizer, example);
            var learned = string.Concat(
                pieces.Where(piece => piece.Trained && !piece.Control).Select(piece => piece.Text));
            Assert.That(learned, Does.EndWith(text[split..]), $"split at {split}");
            var straddling = pieces.First(piece => piece.Trained && piece.Text.Length > 0).Text;
            Assert.That(
                learned[straddling.Length..].Length, Is.LessThanOrEqualTo(text.Length - split), $"split at {split}");
        }
    }

    /// <summary>
    /// A tokenizer that lower-cases does not give its text back; the mask is then counted, and still exact.
    /// </summary>
    [Test]
    public void Without_positions_the_shared_beginning_is_masked()
    {
        var encoder = new ExampleEncoder(new LoweringTokenizer(), PromptTemplate.Load("plain"), new EncodingOptions());

        var example = encoder.Encode(new CompletionExample("Say ", "YES")).Example!;

        Assert.That(example.Targets, Is.EqualTo(new[] { -1, -1, -1, -1, 'y', 'e', 's', CharacterTokenizer.Eos, -1 }));
    }

    private sealed class LoweringTokenizer : ITokenizer
    {
        private readonly CharacterTokenizer _inner = new();

        public int VocabularySize => _inner.VocabularySize;

        public int? BosId => _inner.BosId;

        public int EosId => _inner.EosId;

        public string Hash => "lower";

        public IReadOnlyList<int> Encode(string text) => _inner.Encode(text.ToLowerInvariant());

        public string Decode(ReadOnlySpan<int> ids, bool keepControl = false) => _inner.Decode(ids, keepControl);

        public IIncrementalDecoder StartDecoding() => _inner.StartDecoding();

        public IReadOnlyCollection<string> ControlTokens => _inner.ControlTokens;

        public int? ControlId(string token) => _inner.ControlId(token);
    }
}
