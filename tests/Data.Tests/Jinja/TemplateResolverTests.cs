using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Data.Tests;

public sealed class TemplateResolverTests
{
    private static readonly CharacterTokenizer Tokenizer = new("<|im_start|>", "<|im_end|>");

    [Test]
    public void Auto_takes_the_adapters_then_the_models_own_then_alpaca()
    {
        var (model, adapter) = (TestFiles.NewFolder(), TestFiles.NewFolder());
        Assert.That(Choose().Template, Is.SameAs(AlpacaTemplate.Standard));
        Assert.That(Choose().Notes[0], Is.EqualTo("Template: alpaca (the model brings none)."));

        File.WriteAllText(
            Path.Combine(model, "tokenizer_config.json"), """{"chat_template": "{{ messages[0].content }}"}""");
        Assert.That(Choose().Template, Is.TypeOf<JinjaTemplate>());
        Assert.That(Choose().Notes[0], Does.Contain("tokenizer_config.json (the model's own)"));

        TemplateRecord.Save(model, PromptTemplate.Load("vicuna"));
        Assert.That(Choose().Template.Name, Is.EqualTo("vicuna"));

        TemplateRecord.Save(adapter, PromptTemplate.Load("llama2"));
        Assert.That(Choose().Template.Name, Is.EqualTo("llama2"));
        Assert.That(Choose().Reason, Is.EqualTo("the adapter was trained with it"));

        ChosenTemplate Choose() => TemplateResolver.Choose(TemplateResolver.Auto, Tokenizer, model, adapter);
    }

    [Test]
    public void Another_template_than_the_one_trained_with_is_told()
    {
        var (model, adapter) = (TestFiles.NewFolder(), TestFiles.NewFolder());
        TemplateRecord.Save(adapter, PromptTemplate.Load("llama2"));

        var notes = TemplateResolver.Choose("alpaca", Tokenizer, model, adapter).Notes;

        Assert.That(notes, Has.Some.EndsWith(
            "was trained with the template llama2, and is asked through alpaca; answers may be poor."));
        Assert.That(TemplateResolver.Choose("llama2", Tokenizer, model, adapter).Notes, Has.Count.EqualTo(1));
    }

    [Test]
    public void The_same_template_under_another_name_is_no_other_one()
    {
        var folder = TestFiles.NewFolder();
        var (kept, file) = (Path.Combine(folder, "model"), Path.Combine(folder, "mine.json"));
        Directory.CreateDirectory(kept);
        TemplateRecord.Save(
            kept, AlpacaTemplate.Create("mine", "", "{instruction} {input} A:", "{instruction} A:", "A:"));
        const string Same =
            """{"description": "", "prompt_input": "{instruction} {input} A:", "response_split": "A:",""";
        File.WriteAllText(file, Same + """ "prompt_no_input": "{instruction} A:"}""");
        Assert.That(TemplateResolver.Choose(file, Tokenizer, kept, null).Notes, Has.None.Contain("may be poor"));
        File.WriteAllText(file, Same + """ "prompt_no_input": "{instruction} B:"}""");
        Assert.That(TemplateResolver.Choose(file, Tokenizer, kept, null).Notes, Has.Some.Contain("may be poor"));
    }

    [Test]
    public void Every_template_comes_back_as_it_was_saved()
    {
        var own = Path.Combine(TestFiles.NewFolder(), "own.json");
        File.WriteAllText(own,
            """
            {"prompt_input": "{instruction} {input}", "prompt_no_input": "{instruction}:", "response_split": ":"}
            """);
        var jinja = Path.Combine(TestFiles.NewFolder(), "own.jinja");
        File.WriteAllText(jinja, "{{ messages[0].content }}{{ eos_token }}");
        var model = TestFiles.NewFolder();
        foreach (var name in (string[])[.. PromptTemplate.Names, own, jinja])
        {
            var folder = TestFiles.NewFolder();
            var template = TemplateResolver.Choose(name, Tokenizer, model, null).Template;
            TemplateRecord.Save(folder, template);
            var copied = TestFiles.NewFolder();
            TemplateRecord.Copy(folder, copied);
            var read = TemplateRecord.Find(copied, model, Tokenizer)!;

            Assert.That(read.Identity, Is.EqualTo(template.Identity));
            Assert.That(read.RenderPrompt("Hi"), Is.EqualTo(template.RenderPrompt("Hi")));
        }
    }

    [Test]
    public void A_changed_or_broken_record_is_refused()
    {
        var folder = TestFiles.NewFolder();
        File.WriteAllText(Path.Combine(folder, "a.jinja"), "{{ messages[0].content }}");
        TemplateRecord.Save(folder, TemplateResolver.Choose(
            Path.Combine(folder, "a.jinja"), Tokenizer, folder, null).Template);
        File.AppendAllText(Path.Combine(folder, ChatTemplateFile.FileName), "!");
        Assert.That(
            () => TemplateRecord.Find(folder, folder, Tokenizer),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("is not the template that prompt_template.json"));

        File.WriteAllText(Path.Combine(folder, TemplateRecord.FileName), """{"template": "gemma"}""");
        Assert.That(
            () => TemplateRecord.Find(folder, folder, Tokenizer),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("\"template\" is \"gemma\""));
    }

    [Test]
    public void Special_tokens_are_read_in_both_forms_and_a_file_goes_before_the_configuration()
    {
        var folder = TestFiles.NewFolder();
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), """
            {"bos_token": {"content": "<b>", "lstrip": false}, "eos_token": null, "unk_token": "<u>",
             "chat_template": [{"name": "tool_use", "template": "t"}, {"name": "default", "template": "d"}]}
            """);
        File.WriteAllText(Path.Combine(folder, "special_tokens_map.json"), """{"eos_token": "<e>"}""");

        var found = ChatTemplateFile.Find(folder)!;
        Assert.That(found.Source, Is.EqualTo("d"));
        Assert.That(found.SpecialTokens, Is.EquivalentTo(new Dictionary<string, string>
        {
            ["bos_token"] = "<b>",
            ["unk_token"] = "<u>",
            ["eos_token"] = "<e>",
        }));

        File.WriteAllText(Path.Combine(folder, ChatTemplateFile.FileName), "f");
        Assert.That(ChatTemplateFile.Find(folder)!.Source, Is.EqualTo("f"));
    }

    [TestCase("""{"chat_template": 3}""", "\"chat_template\" is 3; expected a string")]
    [TestCase("""{"chat_template": [{"name": "rag", "template": "x"}]}""", "no template named default, but rag")]
    [TestCase("""{"chat_template": ["x"]}""", "\"chat_template[0].name\" is missing")]
    [TestCase("""{"chat_template": "x", "bos_token": 3}""", "\"bos_token.content\" is missing")]
    public void A_broken_configuration_is_named(string json, string expected)
    {
        var folder = TestFiles.NewFolder();
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), json);

        Assert.That(
            () => ChatTemplateFile.Find(folder), Throws.TypeOf<SafeLlamaException>().With.Message.Contains(expected));
    }
}
