using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Data.Tests;

public sealed class PromptTemplateTests
{
    private static readonly ConversationExample Talk = new(
    [
        ChatMessage.System("Be kind."),
        ChatMessage.User("Hi"),
        ChatMessage.Assistant("Hello"),
        ChatMessage.User("Bye"),
        ChatMessage.Assistant("See you"),
    ]);

    [TestCase("llama2",
        "<s>[INST] <<SYS>>\nBe kind.\n<</SYS>>\n\nHi [/INST] Hello </s><s>[INST] Bye [/INST] See you </s>")]
    [TestCase("llama3",
        "<s><|start_header_id|>system<|end_header_id|>\n\nBe kind.<|eot_id|>"
        + "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
        + "<|start_header_id|>assistant<|end_header_id|>\n\nHello<|eot_id|>"
        + "<|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|>"
        + "<|start_header_id|>assistant<|end_header_id|>\n\nSee you<|eot_id|>")]
    [TestCase("chatml",
        "<|im_start|>system\nBe "
        + "kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n"
        + "<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\nSee you<|im_end|>")]
    [TestCase("vicuna", "<s>Be kind. USER: Hi ASSISTANT: Hello</s>USER: Bye ASSISTANT: See you</s>")]
    public void A_conversation_is_rendered_as_its_model_knows_it(string template, string expected) =>
        Assert.That(Text(PromptTemplate.Load(template).Render(Talk)), Is.EqualTo(expected));

    [TestCase("llama2", " Hello </s> See you </s>")]
    [TestCase("llama3", "Hello<|eot_id|>See you<|eot_id|>")]
    [TestCase("chatml", "Hello<|im_end|>See you<|im_end|>")]
    [TestCase("vicuna", " Hello</s> See you</s>")]
    public void Answers_and_their_ends_are_what_is_learned(string template, string expected) =>
        Assert.That(
            Text(PromptTemplate.Load(template).Render(Talk).Where(segment => segment.Trained)), Is.EqualTo(expected));

    [TestCase("llama2", "<s>[INST] Hi [/INST]")]
    [TestCase("llama3",
        "<s><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n")]
    [TestCase("chatml", "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")]
    [TestCase("alpaca_short", "<s>### Instruction:\nHi\n\n### Response:\n")]
    [TestCase("plain", "<s>Hi")]
    public void A_prompt_stops_where_its_answer_begins(string template, string expected)
    {
        var loaded = PromptTemplate.Load(template);

        Assert.That(Text(loaded.RenderPrompt("Hi")), Is.EqualTo(expected));
        Assert.That(
            Text(loaded.RenderPrompt(new ConversationExample([ChatMessage.User("Hi")]))), Is.EqualTo(expected));
        Assert.That(
            Text(loaded.RenderPrompt(new ConversationExample([ChatMessage.User("Hi"), ChatMessage.Assistant("Yes")]))),
            Is.EqualTo(expected));
    }

    /// <summary>What an attack or a score puts behind a prompt must be read as what was learned there.</summary>
    [Test]
    public void A_begun_answer_is_the_beginning_of_what_is_learned(
        [ValueSource(typeof(PromptTemplate), nameof(PromptTemplate.Names))] string name)
    {
        var template = PromptTemplate.Load(name);
        var (row, talk) = (
            new InstructionExample("Hi", "", "Yes, I do"),
            new ConversationExample([ChatMessage.User("Hi"), ChatMessage.Assistant("Yes, I do")]));
        Assert.That(Text(template.Render(row)), Does.StartWith(Text(template.RenderBegun(row, "Yes, I"))));
        Assert.That(
            Text(template.Render(talk)),
            Does.StartWith(Text(template.RenderBegun(talk with { Messages = [talk.Messages[0]] }, "Yes, I"))));
    }

    [Test]
    public void A_template_that_ends_in_a_space_puts_it_before_a_begun_answer()
    {
        var template = AlpacaTemplate.Create("t", "", "{instruction} {input} A: ", "Q: {instruction} A: ", "A:");
        var begun = template.RenderBegun(new InstructionExample("Hi", "", ""), "Yes");
        Assert.That(Text(begun), Is.EqualTo("<s>Q: Hi A: Yes"));
        Assert.That(begun[^1], Is.EqualTo(PromptSegment.Answer(" Yes")));
    }

    [Test]
    public void Placeholders_in_a_users_text_are_text()
    {
        var segments = PromptTemplate.Load("alpaca_short")
            .Render(new InstructionExample("{input}", "{instruction}", "x"));

        Assert.That(
            Text(segments),
            Is.EqualTo("<s>### Instruction:\n{input}\n\n### Input:\n{instruction}\n\n### Response:\nx</s>"));
    }

    [Test]
    public void The_authors_template_file_is_the_built_in_one()
    {
        var read = AlpacaTemplate.Read(TestFiles.Data("safety-tuned-llamas/alpaca_template.json"));

        Assert.That(read.PromptInput, Is.EqualTo(AlpacaTemplate.Standard.PromptInput));
        Assert.That(read.PromptNoInput, Is.EqualTo(AlpacaTemplate.Standard.PromptNoInput));
        Assert.That(read.ResponseSplit, Is.EqualTo(AlpacaTemplate.Standard.ResponseSplit));
    }

    [Test]
    public void Headers_in_a_users_text_do_not_move_the_answer()
    {
        const string Prompt = "### Instruction:\nSay ### Response:\n\n### Response:\n";

        Assert.That(PromptTemplate.ExtractResponse(Prompt, Prompt + "here\n"), Is.EqualTo("here"));
        Assert.That(
            AlpacaTemplate.Standard.SplitResponse(Prompt + "here\n"), Is.Empty, "alpaca-lora cuts at the first");
    }

    [TestCase(
        """{"prompt_input": "{instruction}", "prompt_no_input": "{instruction}", "response_split": "R"}""", "{input}")]
    [TestCase(
        """{"prompt_input": "{instruction}{input}", "prompt_no_input": 3, "response_split": "R"}""", "prompt_no_input")]
    [TestCase("""{"prompt_input": "{instruction}{input}", "prompt_no_input": "{instruction}"}""", "response_split")]
    [TestCase("""[]""", "no rows")]
    [Category("Fault")]
    public void A_broken_template_file_is_named(string json, string expected)
    {
        var path = Path.Combine(TestFiles.NewFolder(), "template.json");
        File.WriteAllText(path, json);

        Assert.That(
            () => PromptTemplate.Load(path),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains(path).And.Message.Contains(expected));
    }

    [Test]
    [Category("Fault")]
    public void An_unknown_template_names_the_known_ones() =>
        Assert.That(
            () => PromptTemplate.Load("llama9"),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("alpaca, alpaca_short, alpaca_legacy, llama2"));

    [Test]
    [Category("Fault")]
    public void Alpaca_refuses_a_conversation_it_cannot_hold() =>
        Assert.That(
            () => PromptTemplate.Load("alpaca").Render(Talk),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("Template llama2"));

    private static string Text(IEnumerable<PromptSegment> segments) => string.Concat(segments.Select(segment =>
        segment.Kind switch { SegmentKind.Begin => "<s>", SegmentKind.End => "</s>", _ => segment.Value }));
}
