using SafeLlama.Common;

namespace SafeLlama.Data.Tests;

/// <summary>Templates written in Jinja and for Ollama from what they render.</summary>
public sealed class JinjaFormTests
{
    private static readonly ChatMessage[] Turns =
        [ChatMessage.User("  How are you?\n"), ChatMessage.Assistant("Fine, 'thanks'. "), ChatMessage.User("Why?")];

    public static IEnumerable<string> Templates() => PromptTemplate.Names;

    [TestCaseSource(nameof(Templates))]
    public void The_written_template_renders_the_prompt_of_its_template(string name)
    {
        var template = PromptTemplate.Load(name);
        Check(template, Turns[..1]);
        var form = TemplateForm.Of(template);
        if (form.Later is not null)
        {
            Check(template, Turns);
        }

        if (form.FirstWithSystem is not null)
        {
            Check(template, [ChatMessage.System(" Be kind.\n"), .. Turns]);
        }
    }

    [Test]
    public void A_space_that_ends_a_template_is_not_part_of_its_prompt()
    {
        var form = TemplateForm.Of(
            AlpacaTemplate.Create("t", "", "{instruction} {input} A: ", "Q: {instruction} A: ", "A:"));
        Assert.That(form.First[^1].Text, Is.EqualTo(" A:"));
        Assert.That(form.Answer[0].Text, Is.EqualTo(" "));
        Assert.That(ModelfileForm.Write(form), Is.EqualTo("Q: {{ .Prompt }} A:"));
    }

    [Test]
    public void A_system_message_is_refused_by_a_template_without_one()
    {
        var source = JinjaForm.Write(TemplateForm.Of(AlpacaTemplate.Standard), writesBegin: true);
        Assert.That(
            () => Render(source, [ChatMessage.System("s"), ChatMessage.User("u")]),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("has no system message"));
    }

    [Test]
    public void Braces_of_a_template_are_quoted_for_Ollama()
    {
        var form = TemplateForm.Of(AlpacaTemplate.Create("t", "", "{instruction}{input}", "{{ {instruction}", "x"));
        Assert.That(ModelfileForm.Write(form), Is.EqualTo("{{ \"{{\" }} {{ .Prompt }}"));
    }

    [Test]
    public void Three_quotation_marks_are_refused_for_Ollama()
    {
        var form = TemplateForm.Of(AlpacaTemplate.Create("t", "", "{instruction}{input}", "\"\"\"{instruction}", "x"));
        Assert.That(() => ModelfileForm.Write(form), Throws.TypeOf<SafeLlamaException>());
    }

    private static void Check(PromptTemplate template, ChatMessage[] messages)
    {
        var expected = string.Concat(template.RenderPrompt(new ConversationExample(messages)).Select(segment =>
            segment.Kind switch
            {
                SegmentKind.Begin => "<s>",
                SegmentKind.End => "</s>",
                _ => segment.Value,
            }));
        var form = TemplateForm.Of(template);
        Assert.That(Render(JinjaForm.Write(form, writesBegin: true), messages), Is.EqualTo(expected));
        var bare = form.Begins ? expected["<s>".Length..] : expected;
        Assert.That(Render(JinjaForm.Write(form, writesBegin: false), messages), Is.EqualTo(bare));
    }

    private static string Render(string source, ChatMessage[] messages)
    {
        var items = messages.Select(object? (message) => JinjaDict.Of(
            ("role", new MarkedText(message.Role.ToString().ToLowerInvariant())),
            ("content", new MarkedText(message.Content))));
        Dictionary<string, object?> variables = new()
        {
            ["messages"] = new JinjaList([.. items]),
            ["bos_token"] = new MarkedText("<s>"),
            ["eos_token"] = new MarkedText("</s>"),
            ["add_generation_prompt"] = true,
        };
        return JinjaProgram.Parse(source, "test").Render(variables, DateTime.UnixEpoch).Text.Value;
    }
}
