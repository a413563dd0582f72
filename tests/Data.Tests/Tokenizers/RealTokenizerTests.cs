using System.Text.Json;
using SafeLlama.Testing;

namespace SafeLlama.Data.Tests.Tokenizers;

/// <summary>Tokenizers that people use, with the ids that other implementations give.</summary>
[Category("Parity")]
public sealed class RealTokenizerTests
{
    [TestCase("tok-llama2-spm", "llama-spm.json")]
    [TestCase("tok-tinyllama-chat", "llama-spm.json")]
    [TestCase("tok-llama3-tiktoken", "llama-bpe.json")]
    public void The_vectors_of_llama_cpp_hold(string folder, string vectors)
    {
        var tokenizer = TokenizerLoader.Load(TestFiles.Real(folder));
        using var file = JsonDocument.Parse(File.ReadAllText(TestFiles.Real("token-vectors/" + vectors)));
        Assert.Multiple(() =>
        {
            foreach (var vector in file.RootElement.EnumerateArray())
            {
                var text = vector.GetProperty("text").GetString()!;
                Assert.That(tokenizer.Encode(text), Is.EqualTo(vector.GetProperty("ids").Ids()), text);
            }
        });
    }

    [Test]
    public void Metas_llama_3_file_alone_has_metas_control_tokens()
    {
        var tokenizer = TokenizerLoader.Load(TestFiles.Real("tok-llama3-tiktoken"));
        string[] names =
        [
            "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>", "<|python_tag|>",
        ];
        Assert.Multiple(() =>
        {
            Assert.That(
                names.Select(tokenizer.ControlId), Is.EqualTo(new int?[] { 128006, 128007, 128008, 128009, 128010 }));
            Assert.That((tokenizer.BosId, tokenizer.EosId, tokenizer.VocabularySize),
                Is.EqualTo(((int?)128000, 128001, 128256)));
            Assert.That(
                tokenizer.Encode("This is a test sentence."),
                Is.EqualTo(new[] { 2028, 374, 264, 1296, 11914, 13 }), "Meta's own test");
        });
    }

    [Test]
    public void SmolLM2_puts_no_bos_and_refuses_only_a_text_that_needs_a_missing_byte()
    {
        var tokenizer = TokenizerLoader.Load(TestFiles.Real("tok-smollm2"));
        Assert.Multiple(() =>
        {
            Assert.That(tokenizer.BosId, Is.Null);
            Assert.That(tokenizer.ControlId("<|im_start|>"), Is.EqualTo(1));
            Assert.That(tokenizer.Decode([.. tokenizer.Encode("In 2024 the café cost 12.\n")]),
                Is.EqualTo("In 2024 the café cost 12.\n"));
            Assert.That(tokenizer.Encode("2024").Count, Is.EqualTo(4), "digits are split one by one");
            Assert.That(() => tokenizer.Encode("a \u0004 b"),
                Throws.TypeOf<Common.SafeLlamaException>().With.Message.Contains("no token for byte 0x04"));
        });
    }

    [Test]
    public void Mistral_v3_has_whole_pieces_and_control_tokens_stay_text()
    {
        var tokenizer = TokenizerLoader.Load(TestFiles.Real("tok-mistral-v3"));
        var path = Path.Combine(TestFiles.Real("tok-mistral-v3"), "tokenizer.model");
        var pieces = SentencePieceFile.Read(path, File.ReadAllBytes(path)).Pieces;
        var whole = pieces.Index().Where(p => p.Item.Type == SentencePieceFile.PieceType.UserDefined).ToList();
        Assert.Multiple(() =>
        {
            Assert.That(tokenizer.ControlId("[INST]"), Is.EqualTo(3));
            Assert.That(tokenizer.Encode("[INST]"), Has.None.EqualTo(3));
            Assert.That(whole, Has.Count.EqualTo(20));
            foreach (var (id, piece) in whole)
            {
                Assert.That(tokenizer.Encode("x" + piece.Piece + "y"), Has.Some.EqualTo(id), piece.Piece);
            }
        });
    }

    [Test]
    public void OpenLLaMA_removes_extra_spaces()
    {
        var tokenizer = TokenizerLoader.Load(TestFiles.Real("tok-openllama-spm"));
        Assert.Multiple(() =>
        {
            Assert.That(tokenizer.Encode("  the   house  "), Is.EqualTo(tokenizer.Encode("the house")));
            Assert.That(tokenizer.Encode("the\n house"), Is.Not.EqualTo(tokenizer.Encode("the\nhouse")));
            Assert.That(tokenizer.Encode("   "), Is.Empty);
            Assert.That(tokenizer.Decode([.. tokenizer.Encode("the house")]), Is.EqualTo("the house"));
        });
    }

    [TestCase("tok-mistral-v1")]
    [TestCase("tok-mistral-v3")]
    [TestCase("tok-llama2-spm")]
    [TestCase("tok-smollm2")]
    [TestCase("tok-tinyllama-chat")]
    [TestCase("stories260K")]
    public void A_text_comes_back(string folder)
    {
        var tokenizer = TokenizerLoader.Load(TestFiles.Real(folder));
        const string Text = "One day, a little  girl named Lily\n\tfound 12 needles — naïve!";
        Assert.That(tokenizer.Decode([.. tokenizer.Encode(Text)]), Is.EqualTo(Text));
    }

    [TestCase("stories260K")]
    [TestCase("tok-tinyllama-chat")]
    public void Both_files_of_one_tokenizer_agree(string folder)
    {
        var model = TestFiles.NewFolder();
        File.Copy(
            Path.Combine(TestFiles.Real(folder), "tokenizer.model"), Path.Combine(model, "tokenizer.model"));
        var (a, b) = (TokenizerLoader.Load(TestFiles.Real(folder)), TokenizerLoader.Load(model));
        CsCheck.Check.Sample(CsCheck.Gen.String, text => a.Encode(text).SequenceEqual(b.Encode(text)));
    }
}
