using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Data.Tests;

/// <summary>Tokenizers that GGUF cannot say are refused by the rule that it has no word for.</summary>
public sealed class GgufRefusalTests
{
    [Test]
    public void Removing_extra_spaces_is_refused() => Assert.That(
        Refusal(TokenizerLoader.Load(TestFiles.Real("tok-openllama-spm"))),
        Does.Contain("remove_extra_whitespaces").And.Contain("GGUF cannot say"));

    [Test]
    public void Another_expression_is_refused()
    {
        var folder = Copy("llama3", json => json.Replace(@"\\p{N}{1,3}", @"\\p{N}{1,2}", StringComparison.Ordinal));
        Assert.That(
            Refusal(TokenizerLoader.Load(folder)),
            Does.Contain("divides texts by an expression that no name of tokenizer.ggml.pre stands for"));
    }

    [Test]
    public void A_file_of_another_expression_is_not_read()
    {
        var tokenizer = TokenizerLoader.Load(Path.Combine(TestFiles.Reference, "tokenizer", "llama3"));
        var keys = GgufTokenizerKeys.Of(
            tokenizer, tokenizer.VocabularySize, new ModelTokens(null, [], null, null)).Keys;
        var path = Path.Combine(TestFiles.NewFolder(), "keys.gguf");
        Model.GgufWriter.Write(
            path, [.. keys.Select(k => k.Key == "tokenizer.ggml.pre" ? (k.Key, (object)"default") : k)], []);
        Assert.That(
            Assert.Throws<SafeLlamaException>(() => TokenizerLoader.Load(path))!.Message,
            Does.Contain("is \"default\", expected llama-bpe, gpt-2, smollm"));
    }

    private static string Refusal(ITokenizer tokenizer) => Assert.Throws<SafeLlamaException>(() => GgufTokenizerKeys.Of(
        tokenizer, tokenizer.VocabularySize, new ModelTokens(null, [], null, null)))!.Message;

    private static string Copy(string name, Func<string, string> change)
    {
        var folder = TestFiles.NewFolder();
        foreach (var file in Directory.GetFiles(Path.Combine(TestFiles.Reference, "tokenizer", name)))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        var json = Path.Combine(folder, "tokenizer.json");
        var (before, after) = (File.ReadAllText(json), change(File.ReadAllText(json)));
        Assert.That(after, Is.Not.EqualTo(before));
        File.WriteAllText(json, after);
        return folder;
    }
}
