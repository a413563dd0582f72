using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Interop.Tests;

/// <summary>Tokenizers written into GGUF keys and read by libllama, and by us.</summary>
[Category("Parity")]
public sealed class TokenizerTests
{
    private static readonly JsonElement Sample = JsonDocument.Parse(
        File.ReadAllText(Path.Combine(Expected.Folder, "tokens.json"))).RootElement;

    private static string[] Texts =>
        [.. Sample.GetProperty("texts").EnumerateArray().Select(t => t.GetString()!)];

    [TestCase("reference/tokenizer/sp")]
    [TestCase("reference/tokenizer/llama3")]
    [TestCase("assets/miniature (of the project)")]
    [TestCase("real/stories260K")]
    public void Ids_are_those_of_the_fixture(string name)
    {
        var expected = Sample.GetProperty("ids").GetProperty(name).EnumerateArray()
            .Select(ids => ids.EnumerateArray().Select(id => id.GetInt32()).ToArray()).ToArray();
        var tokenizer = TokenizerLoader.Load(
            name.StartsWith("real/", StringComparison.Ordinal) ? TestFiles.Real(name[5..]) : Expected.PathOf(name));
        Check(tokenizer, Texts, expected);
    }

    [TestCase("tok-tinyllama-chat")]
    [TestCase("tok-llama2-spm")]
    [TestCase("tok-mistral-v1")]
    [TestCase("tok-mistral-v3")]
    [TestCase("tok-smollm2")]
    [TestCase("tok-llama3-tiktoken")]
    public void Ids_of_real_tokenizers_are_ours(string folder)
    {
        var tokenizer = TokenizerLoader.Load(TestFiles.Real(folder));
        string[] texts = [.. Texts, "Say [INST] twice [INST][/INST] and go on.", "  two  spaces <|im_start|>user"];
        texts = [.. texts.Where(text => CanBeWritten(tokenizer, text))];
        Assert.That(texts, Has.Length.GreaterThan(400));
        Check(tokenizer, texts, [.. texts.Select(text => tokenizer.Encode(text).ToArray())]);
    }

    /// <summary>Some tokenizers lack bytes: a text that needs one is refused here and cut silently there.</summary>
    private static bool CanBeWritten(ITokenizer tokenizer, string text)
    {
        try
        {
            tokenizer.Encode(text);
            return true;
        }
        catch (SafeLlamaException)
        {
            return false;
        }
    }

    [Test]
    public void Padding_rows_get_tokens_that_no_text_reaches()
    {
        var tokenizer = TokenizerLoader.Load(Expected.PathOf("reference/tokenizer/sp"));
        var path = KeysAlone(tokenizer, rows: tokenizer.VocabularySize + 16);
        using var llama = new Libllama(path, tokenizerOnly: true);
        Assert.That(llama.Tokenize($"[PAD {tokenizer.VocabularySize}]"), Is.All.LessThan(tokenizer.VocabularySize));
        Assert.That(TokenizerLoader.Load(path).VocabularySize, Is.EqualTo(tokenizer.VocabularySize));
    }

    private static void Check(ITokenizer tokenizer, string[] texts, int[][] expected)
    {
        var path = KeysAlone(tokenizer, tokenizer.VocabularySize);
        var again = TokenizerLoader.Load(path);
        using var llama = new Libllama(path, tokenizerOnly: true);
        Assert.That((again.BosId, again.EosId), Is.EqualTo((tokenizer.BosId, tokenizer.EosId)));
        for (var i = 0; i < texts.Length; i++)
        {
            Assert.That(llama.Tokenize(texts[i]), Is.EqualTo(expected[i]), $"libllama, text {i}: {texts[i]}");
            Assert.That(again.Encode(texts[i]), Is.EqualTo(expected[i]), $"our reading, text {i}: {texts[i]}");
        }
    }

    /// <summary>A file of keys without weights: enough for a tokenizer.</summary>
    private static string KeysAlone(ITokenizer tokenizer, int rows)
    {
        var path = Path.Combine(TestFiles.NewFolder(), "keys.gguf");
        var keys = GgufTokenizerKeys.Of(tokenizer, rows, new ModelTokens(null, [], null, null)).Keys;
        GgufWriter.Write(
            path,
            [
                ("general.architecture", "llama"),
                .. GgufConfig.Keys(TinyLlama.Config with { VocabularySize = rows }),
                .. keys,
            ],
            []);
        return path;
    }
}
