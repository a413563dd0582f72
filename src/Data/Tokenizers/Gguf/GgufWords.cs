using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>
/// The ways to divide a text into words that <c>tokenizer.ggml.pre</c> can name, as far as they are proved to give the
/// same ids.
/// </summary>
/// <param name="Name">What is written.</param>
/// <param name="Patterns">The expressions, one after another.</param>
/// <param name="IgnoreMerges">Whether a word that is a token is taken whole, which the name implies.</param>
internal sealed record GgufWords(string Name, IReadOnlyList<string> Patterns, bool IgnoreMerges)
{
    public const string Key = "tokenizer.ggml.pre";

    private static readonly GgufWords[] Known =
    [
        new("llama-bpe", [WordSplitter.Llama3], IgnoreMerges: true),
        new("gpt-2", [WordSplitter.Gpt2], IgnoreMerges: false),
        new("smollm", [WordSplitter.SingleDigits, WordSplitter.Gpt2], IgnoreMerges: false),
    ];

    /// <summary>The way with these expressions; null where no name stands for them.</summary>
    public static GgufWords? Of(IReadOnlyList<string> patterns) =>
        Known.FirstOrDefault(words => words.Patterns.SequenceEqual(patterns));

    /// <exception cref="SafeLlamaException">The key is missing, or names a way that is not known here.</exception>
    public static GgufWords Read(GgufKeys keys) => keys.Text(Key) switch
    {
        "llama3" or "llama-v3" => Known[0],
        var name => Known.FirstOrDefault(words => words.Name == name) ?? throw keys.Wrong(
            Key,
            $"is \"{UnicodeText.Shown(name)}\", expected {string.Join(", ", Known.Select(words => words.Name))}: "
                + "another expression would give other ids"),
    };
}
