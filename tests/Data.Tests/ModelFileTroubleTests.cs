using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Data.Tests;

/// <summary>Files beside a model's weights that people met, and that were once read as something else.</summary>
[Category("Fault")]
public sealed class ModelFileTroubleTests
{
    private const string Pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1234567\n";

    [TestCase("tokenizer.model")]
    [TestCase("tokenizer.json")]
    [TestCase("tokenizer_config.json")]
    [TestCase("chat_template.jinja")]
    [TestCase("generation_config.json")]
    [TestCase("rows.jsonl")]
    public void A_pointer_of_Git_LFS_is_named_for_what_it_is(string name)
    {
        var folder = TestFiles.NewFolder();
        File.WriteAllText(Path.Combine(folder, name), Pointer);
        Assert.That(
            () => name switch
            {
                "chat_template.jinja" or "tokenizer_config.json" => (object?)ChatTemplateFile.Find(folder),
                "generation_config.json" => GenerationDefaults.Read(folder),
                "rows.jsonl" => ExampleFile.Read(Path.Combine(folder, name)),
                _ => TokenizerLoader.Load(folder),
            },
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("Git LFS pointer")
                .And.Message.Contains(name));
    }

    [Test]
    public void A_chat_template_in_Latin_1_is_refused_with_its_place()
    {
        var folder = TestFiles.NewFolder();
        File.WriteAllBytes(Path.Combine(folder, ChatTemplateFile.FileName), [.. "{{ 'caf"u8, 0xE9, .. "' }}"u8]);
        Assert.That(
            () => ChatTemplateFile.Find(folder),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("byte 0xE9 at column 8 is not UTF-8"));
    }

    [Test]
    public void What_a_model_suggests_and_is_off_here_too_is_not_told()
    {
        var folder = TestFiles.NewFolder();
        File.WriteAllText(
            Path.Combine(folder, "generation_config.json"),
            """{"eos_token_id": 2, "do_sample": false, "early_stopping": false, "max_length": null}""");
        Assert.That(GenerationDefaults.Read(folder).Note(folder), Is.Null);
    }

    [TestCase("[\"<|extra|>\"]")]
    [TestCase("{\"image_token\": \"<|extra|>\"}")]
    public void Special_tokens_named_as_transformers_5_names_them_are_control_tokens(string extra)
    {
        var folder = WithConfig($$"""{"eos_token": "</s>", "bos_token": "<s>", "extra_special_tokens": {{extra}}}""");
        File.WriteAllText(Path.Combine(folder, "added_tokens.json"), """{"<|extra|>": 720}""");
        var tokenizer = TokenizerLoader.Load(folder);
        Assert.That(tokenizer.ControlTokens, Does.Contain("<|extra|>"));
        Assert.That(tokenizer.Encode("<|extra|>"), Has.None.EqualTo(720), "typed by a user, it is text");
    }

    [Test]
    public void A_division_of_words_that_is_not_tokenizer_jsons_is_refused() => Assert.That(
        () => TokenizerLoader.Load(WithConfig("""{"eos_token": "</s>", "fix_mistral_regex": true}""")),
        Throws.TypeOf<SafeLlamaException>().With.Message.Contains("fix_mistral_regex"));

    private static string WithConfig(string config)
    {
        var folder = TestFiles.NewFolder();
        File.Copy(
            Path.Combine(TestFiles.Reference, "tokenizer", "sp", "tokenizer.model"),
            Path.Combine(folder, "tokenizer.model"));
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), config);
        return folder;
    }
}
