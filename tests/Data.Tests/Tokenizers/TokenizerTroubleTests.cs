using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Data.Tests.Tokenizers;

/// <summary>Tokenizers that people met and that once gave wrong ids, or none, without a word.</summary>
public sealed class TokenizerTroubleTests
{
    [Test]
    public void An_added_token_that_is_not_special_is_found_in_a_text()
    {
        var tokenizer = Load("added-token-not-special/tok");
        var think = tokenizer.ControlId("<think>")!.Value;
        Assert.That(tokenizer.Encode("<think>add</think>4").Count(id => id == think), Is.EqualTo(1));
        Assert.That(tokenizer.Encode("<|eot_id|>"), Has.None.EqualTo(tokenizer.ControlId("<|eot_id|>")));
    }

    [Test]
    public void A_gap_in_ids_is_told_and_ids_are_the_librarys()
    {
        var tokenizer = Load("gap-in-ids/tok");
        Assert.That(tokenizer.ControlId("<|extra|>"), Is.EqualTo(768));
        Assert.That(tokenizer.Notes, Has.Some.Contains("\"<|extra|>\" is listed with id 773, but gets id 768"));
    }

    [TestCase("first", "a", false)]
    [TestCase("always", "a", true)]
    [TestCase("never", "a", false)]
    public void Metaspace_puts_its_space_where_the_scheme_says(string scheme, string text, bool behindControl)
    {
        var tokenizer = Load($"metaspace-prepend-scheme/tok-{scheme}");
        var (plain, spaced) = (WithoutSpace(tokenizer, text), WithSpace(tokenizer, text));
        Assert.Multiple(() =>
        {
            Assert.That(tokenizer.Encode(text), Is.EqualTo(scheme == "never" ? plain : spaced));
            Assert.That(tokenizer.EncodeContinuing(text), Is.EqualTo(behindControl ? spaced : plain));
            int[] expected = [tokenizer.ControlId("<|im_start|>")!.Value, .. behindControl ? spaced : plain];
            Assert.That(
                SegmentEncoder.Ids(tokenizer, [PromptSegment.Control("<|im_start|>"), PromptSegment.User(text)]),
                Is.EqualTo(expected));
        });
    }

    [Test]
    public void Without_a_post_processor_no_BOS_is_put() =>
        Assert.That(Load("no-post-processor-no-bos/tok").BosId, Is.Null);

    [Test]
    public void A_byte_without_a_token_refuses_only_a_text_that_needs_it()
    {
        var tokenizer = Load("no-token-for-a-byte/tok-no-byte");
        var refused = Enumerable.Range(0, 128).Where(c => Refuses(tokenizer, ((char)c).ToString())).ToList();
        Assert.That(refused, Has.Count.LessThanOrEqualTo(1));
        Assert.That(tokenizer.Decode([.. tokenizer.Encode("Fix: he go")]), Is.EqualTo("Fix: he go"));
    }

    [Test]
    public void A_row_that_needs_a_missing_byte_is_named()
    {
        var tokenizer = Load("no-token-for-a-byte/tok-no-byte");
        var missing = Enumerable.Range(0, 256).Select(c => ((char)c).ToString()).First(c => Refuses(tokenizer, c));
        var row = new TextExample("a" + missing) { Id = "7", Source = new RowSource("rows.jsonl", 3) };
        Assert.That(
            () => new ExampleEncoder(tokenizer, new PlainTemplate(), new EncodingOptions()).Encode(row),
            Throws.TypeOf<SafeLlamaException>().With.Message.StartsWith("rows.jsonl:3: 7: The tokenizer has no token"));
    }

    [Test]
    public void Llama_4s_file_is_refused_by_name()
    {
        var folder = TestFiles.NewFolder();
        File.WriteAllLines(
            Path.Combine(folder, "tokenizer.model"),
            Enumerable.Range(0, 200_000).Select(i => Convert.ToBase64String(
                i < 256 ? [(byte)i] : [(byte)(i >> 16), (byte)(i >> 8), (byte)i, 1]) + $" {i}"));
        Assert.That(
            () => TokenizerLoader.Load(folder),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("is LLaMA 4's tokenizer"));
    }

    [TestCase("stories260K", "b6fa88038865ea9cc2ddc8ca8fa7c32e53da5ffb1b3e9e8037aa68df0b645139")]
    [TestCase("tok-tinyllama-chat", "30684e066a794e8700756f6e3a46ef80f759efd79780125845ea049ec7b0ae55")]
    [TestCase("tok-llama2-spm", "a1ac053aabd2c1ae385fbe68a31f1449f0ee03e7b039a9a5428c7cc3d2dca3b0")]
    public void A_hash_that_run_folders_hold_stays_what_it_was(string folder, string hash) =>
        Assert.That(TokenizerLoader.Load(TestFiles.Real(folder)).Hash, Is.EqualTo(hash));

    private static ITokenizer Load(string folder) =>
        TokenizerLoader.Load(TestFiles.Fault(Path.Combine("train", folder)));

    private static bool Refuses(ITokenizer tokenizer, string text)
    {
        try
        {
            tokenizer.Encode(text);
            return false;
        }
        catch (SafeLlamaException e)
        {
            return e.Message.Contains("no token for byte", StringComparison.Ordinal);
        }
    }

    /// <summary>
    /// A line feed is a byte token that joins nothing: behind it, a text's ids are those without prefix.
    /// </summary>
    private static IReadOnlyList<int> WithoutSpace(ITokenizer tokenizer, string text) =>
        [.. tokenizer.Encode("\n" + text).Skip(tokenizer.Encode("\n").Count)];

    private static IReadOnlyList<int> WithSpace(ITokenizer tokenizer, string text) =>
        WithoutSpace(tokenizer, " " + text);
}
