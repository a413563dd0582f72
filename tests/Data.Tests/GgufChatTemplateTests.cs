using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Data.Tests;

/// <summary>The chat template that a GGUF file holds gives the prompt it was written from, BOS included.</summary>
public sealed class GgufChatTemplateTests
{
    /// <summary>Templates whose control tokens the tokenizer has.</summary>
    [TestCase("sp", "alpaca")]
    [TestCase("sp", "alpaca_legacy")]
    [TestCase("sp", "llama2")]
    [TestCase("sp", "vicuna")]
    [TestCase("sp", "plain")]
    [TestCase("llama3", "llama3")]
    [TestCase("llama3", "alpaca")]
    public void Prompts_through_the_file_are_those_of_the_template(string name, string template)
    {
        var tokenizer = TokenizerLoader.Load(Path.Combine(TestFiles.Reference, "tokenizer", name));
        var form = PromptTemplate.Load(template);
        var (path, exported) = Write(tokenizer, form);
        var own = new JinjaTemplate(ChatTemplateFile.Find(path)!, exported);
        foreach (var text in new[] { "How are you?", " spaces \n", "a {{ b }} {% c %} 'd' \\n", "" })
        {
            Assert.That(
                SegmentEncoder.Ids(exported, own.RenderPrompt(text)),
                Is.EqualTo(SegmentEncoder.Ids(tokenizer, form.RenderPrompt(text))), text);
        }
    }

    [Test]
    public void A_template_that_begins_no_sequence_gets_no_BOS()
    {
        var tokenizer = TokenizerLoader.Load(Path.Combine(TestFiles.Reference, "tokenizer", "sp"));
        var bare = new JinjaTemplate(
            new ChatTemplateFile("bare", "{% for m in messages %}{{ m['content'] }}{% endfor %}",
                new Dictionary<string, string>()), tokenizer);
        var (path, exported) = Write(tokenizer, bare);
        Assert.That(exported.BosId, Is.Null);
        var own = new JinjaTemplate(ChatTemplateFile.Find(path)!, exported);
        Assert.That(
            SegmentEncoder.Ids(exported, own.RenderPrompt("Hello")),
            Is.EqualTo(SegmentEncoder.Ids(tokenizer, bare.RenderPrompt("Hello"))));
    }

    [Test]
    public void A_template_that_writes_BOS_itself_gets_one()
    {
        var tokenizer = TokenizerLoader.Load(Path.Combine(TestFiles.Reference, "tokenizer", "sp"));
        var path = Path.Combine(TestFiles.NewFolder(), "keys.gguf");
        var keys = GgufTokenizerKeys
            .Of(tokenizer, tokenizer.VocabularySize, new ModelTokens(null, [], null, null)).Keys;
        const string Source = "{{ bos_token }}{% for m in messages %}{{ m['content'] }}{% endfor %}";
        GgufWriter.Write(path, [.. keys, ("tokenizer.chat_template", Source)], []);
        var own = new JinjaTemplate(ChatTemplateFile.Find(path)!, TokenizerLoader.Load(path));
        var ids = SegmentEncoder.Ids(tokenizer, own.RenderPrompt("Hello"));
        Assert.That(ids.Count(id => id == tokenizer.BosId), Is.EqualTo(1));
    }

    private static (string Path, ITokenizer Tokenizer) Write(ITokenizer tokenizer, PromptTemplate template)
    {
        var path = Path.Combine(TestFiles.NewFolder(), "keys.gguf");
        var keys = GgufTokenizerKeys.Of(tokenizer, tokenizer.VocabularySize, new ModelTokens(null, [], null, null));
        GgufWriter.Write(path, keys.For(template).Keys, []);
        return (path, TokenizerLoader.Load(path));
    }
}
