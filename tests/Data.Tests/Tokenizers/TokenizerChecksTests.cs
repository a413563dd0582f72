using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Data.Tests.Tokenizers;

public sealed class TokenizerChecksTests
{
    private static readonly ITokenizer Tokenizer = AllTokenizers.Get("sp model"); // V 720, BOS 1, EOS 2

    [Test]
    public void What_belongs_together_passes_without_a_word() => Assert.That(
        Check("""{"bos_token_id": 1, "eos_token_id": [3, 2], "pad_token_id": -1, "vocab_size": 720}""", 720),
        Is.Empty);

    [Test]
    public void A_padded_vocabulary_is_reported() => Assert.That(
        Check("""{"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}""", 768),
        Is.EqualTo(new[]
        {
            "The weights have 768 rows, the tokenizer 720 ids: 48 rows are padding, which no text reaches.",
        }));

    [Test]
    public void A_config_without_ends_is_reported() =>
        Assert.That(Check("{}", 720), Is.EqualTo(new[] { "config.json names no EOS; the tokenizer's, 2, is used." }));

    [TestCase("{}", 700, "the tokenizer has 720 ids, the weights have rows for 700")]
    [TestCase("""{"vocab_size": 721}""", 720, "config.json \"vocab_size\" is 721, the weights have 720 rows")]
    [TestCase("""{"bos_token_id": 0, "eos_token_id": 1}""", 720,
        "BOS is 1 in the tokenizer and 0 in config.json; EOS is 2 in the tokenizer and 1 in config.json")]
    [TestCase("""{"bos_token_id": 1, "eos_token_id": [2, 720]}""", 720,
        "\"eos_token_id\" is 720, outside the weights' 0 … 719")]
    [TestCase("""{"bos_token_id": -5}""", 720, "\"bos_token_id\" is -5, outside")]
    [TestCase("""{"pad_token_id": 32000}""", 720, "\"pad_token_id\" is 32000, outside")]
    [TestCase("""{"eos_token_id": "2"}""", 720, "\"eos_token_id\" is \"2\"; expected a whole number")]
    public void What_does_not_fit_is_refused_by_name(string config, int rows, string message) => Assert.That(
        () => Check(config, rows),
        Throws.TypeOf<SafeLlamaException>().With.Message.Contains(message)
            .And.Property(nameof(SafeLlamaException.Code)).EqualTo(ExitCode.InvalidData));

    [Test]
    public void A_chat_models_end_of_turn_in_one_file_and_end_of_text_in_the_other_are_told()
    {
        var tokenizer = AllTokenizers.Get("llama3 json");
        var other = tokenizer.ControlId("<|eot_id|>") is { } turn && turn != tokenizer.EosId
            ? turn
            : tokenizer.ControlId("<|end_of_text|>")!.Value;
        var notes = Check($"{{\"eos_token_id\": {other}}}", tokenizer.VocabularySize, tokenizer);

        Assert.That(notes, Has.Some.EqualTo(
            $"config.json ends an answer with {other}, the tokenizer with {tokenizer.EosId}; each ends one here, and "
            + "it is the tokenizer's or the template's that is learned."));
    }

    [TestCase(0, "the unknown token")]
    [TestCase(1, "the beginning")]
    [TestCase(300, "text")]
    public void An_end_that_is_no_end_in_the_tokenizer_is_refused(int id, string what) => Assert.That(
        () => Check($"{{\"eos_token_id\": {id}}}", 720),
        Throws.TypeOf<SafeLlamaException>().With.Message.Contains($"EOS is 2 in the tokenizer and {id} in config.json"),
        what);

    [Test]
    public void What_generation_config_says_of_ends_counts_and_of_sampling_is_told()
    {
        var notes = Check("""{"eos_token_id": 1}""", 720, """{"eos_token_id": [2, 7], "temperature": 0.6}""");
        Assert.That(notes, Has.Some.Contains("lets an answer end with 7 too"));
        Assert.That(notes, Has.Some.Contains("suggests temperature 0.6; none of it is applied"));
        Assert.That(
            () => Check("{}", 720, """{"eos_token_id": 720}"""),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains(
                "generation_config.json \"eos_token_id\" is 720, outside the weights' 0 … 719"));
    }

    private static IReadOnlyList<string> Check(string config, int rows, string generation)
    {
        var folder = TestFiles.NewFolder();
        File.WriteAllText(Path.Combine(folder, "config.json"), config);
        File.WriteAllText(Path.Combine(folder, "generation_config.json"), generation);
        return TokenizerChecks.Check(
            Tokenizer, ModelTokens.Read(folder), rows, folder, GenerationDefaults.Read(folder));
    }

    private static IReadOnlyList<string> Check(string config, int rows, ITokenizer? tokenizer = null)
    {
        var folder = TestFiles.NewFolder();
        var path = Path.Combine(folder, "config.json");
        File.WriteAllText(path, config);
        return TokenizerChecks.Check(tokenizer ?? Tokenizer, ModelTokens.Read(path), rows, folder);
    }
}
