using SafeLlama.Testing;

namespace SafeLlama.Data.Tests;

public sealed class NamedTemplateTests
{
    private static readonly CharacterTokenizer Tokenizer = new(
        "<|im_start|>", "<|im_end|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>");

    private static readonly IReadOnlyList<IReadOnlyList<ChatMessage>> Conversations =
    [
        [ChatMessage.User("Hi")],
        [ChatMessage.User(" Hi\n"), ChatMessage.Assistant(" Hello\n\n")],
        [ChatMessage.System("Be kind. "), ChatMessage.User("Hi")],
        [
            ChatMessage.System(" Be\nkind."), ChatMessage.User("Hi <|im_end|></s> 😀"),
            ChatMessage.Assistant("Hello [INST] <|eot_id|>"), ChatMessage.User("{{ bos_token }}"),
            ChatMessage.Assistant("{% raw %}"),
        ],
        [ChatMessage.User("Hi"), ChatMessage.Assistant("Hello"), ChatMessage.User("Bye")],
    ];

    [Test]
    public void A_named_template_and_its_Jinja_give_the_same_tokens_and_masks(
        [Values("llama2", "llama3", "chatml", "vicuna", "zephyr", "mistral")] string name, [Values] bool isSaved)
    {
        var named = PromptTemplate.Load(name);
        var source = isSaved ? named.Jinja : name switch
        {
            "llama2" => OwnTemplates.Llama2,
            "llama3" => OwnTemplates.Llama3,
            "chatml" => OwnTemplates.ChatMl,
            "vicuna" => OwnTemplates.Vicuna,
            "zephyr" => OwnTemplates.Zephyr,
            _ => OwnTemplates.Mistral,
        };
        var jinja = new JinjaTemplate(
            new ChatTemplateFile("here", source, new Dictionary<string, string>()), Tokenizer);
        foreach (var messages in Conversations)
        {
            var row = new ConversationExample(messages);

            Assert.That(Tokens(jinja.RenderPrompt(row)), Is.EqualTo(Tokens(named.RenderPrompt(row))), row.Question);
            Assert.That(Tokens(jinja.Render(row)), Is.EqualTo(Tokens(named.Render(row))), row.Question);
        }

        Assert.That(jinja.RenderPrompt("Hi").Count, Is.GreaterThan(0));
        Assert.That(Tokens(jinja.RenderPrompt("Hi")), Is.EqualTo(Tokens(named.RenderPrompt("Hi"))));
    }

    [Test]
    public void Zephyr_is_the_template_that_TinyLlama_brings()
    {
        var folder = TestFiles.Real("tok-tinyllama-chat");
        var tokenizer = TokenizerLoader.Load(folder);
        var own = new JinjaTemplate(ChatTemplateFile.Find(folder)!, tokenizer);
        foreach (var messages in Conversations)
        {
            var row = new ConversationExample(messages);

            Assert.That(
                SegmentEncoder.Ids(tokenizer, own.Render(row)),
                Is.EqualTo(SegmentEncoder.Ids(tokenizer, new ZephyrTemplate().Render(row))));
        }
    }

    [Test]
    public void ChatMl_is_how_SmolLM2_is_asked()
    {
        var tokenizer = TokenizerLoader.Load(TestFiles.Real("tok-smollm2"));
        var own = new JinjaTemplate(
            new ChatTemplateFile("here", OwnTemplates.ChatMl, new Dictionary<string, string>()), tokenizer);
        foreach (var messages in Conversations)
        {
            var row = new ConversationExample(messages);

            Assert.That(
                SegmentEncoder.Ids(tokenizer, own.Render(row)),
                Is.EqualTo(SegmentEncoder.Ids(tokenizer, new ChatMlTemplate().Render(row))));
        }
    }

    /// <summary>Every token and whether it is learned.</summary>
    private static IEnumerable<(int, bool)> Tokens(IReadOnlyList<PromptSegment> segments)
    {
        var encoded = SegmentEncoder.Encode(Tokenizer, segments);
        return encoded.Ids.Zip(encoded.Segments, (id, segment) => (id, segments[segment].Trained));
    }
}
