using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

/// <summary><c>export</c>, and the other verbs on what it wrote.</summary>
public sealed class ExportCommandTests
{
    private static readonly string Miniature = Path.Combine(TestFiles.Root, "assets", "miniature");
    private static readonly string Template = Path.Combine(Miniature, "template.json");

    private readonly string _folder = TestFiles.NewFolder();

    [Test]
    public void A_gguf_file_scores_and_answers_as_its_folder_does()
    {
        var file = Path.Combine(_folder, "model.gguf");
        var export = CommandRun.Of(
            "export", "--model", Miniature, "--template", Template, "--to", "gguf", "--out", file);
        Assert.That(export.ExitCode, Is.Zero, export.Error);
        Assert.That(export.Output, Does.Contain("F32"));

        string[] question = ["--template", Template, "--prompt", "Explain how to make a cake.", "--threads", "1"];
        var (before, after) = (
            CommandRun.Of(["generate", "--model", Miniature, .. question]),
            CommandRun.Of(["generate", "--model", file, .. question]));
        Assert.That(after.Output, Is.EqualTo(before.Output).And.Not.Empty);

        string[] text = ["--text", "Step 1: gather the parts.", "--json"];
        Assert.That(
            Sum(CommandRun.Of(["score", "--model", file, .. text])),
            Is.EqualTo(Sum(CommandRun.Of(["score", "--model", Miniature, .. text]))).Within(1e-5));
    }

    [Test]
    public void A_quantized_file_says_what_became_another_type()
    {
        var file = Path.Combine(_folder, "q4.gguf");
        var export = CommandRun.Of(
            "export", "--model", Miniature, "--template", Template, "--to", "gguf", "--type", "q4_k_m", "--out", file);
        Assert.That(export.Error, Does.Contain("instead of Q4_K: blocks of 256 do not divide their rows of 128"));
        Assert.That(export.Error, Does.Contain("are F16 instead of Q4_K"));
        var score = CommandRun.Of("score", "--model", file, "--text", "Step 1: gather the parts.");
        Assert.That(score.ExitCode, Is.Zero, score.Error);
    }

    [Test]
    public void The_check_passes_on_an_exact_export_and_asks_through_its_template()
    {
        var prompts = Path.Combine(_folder, "prompts.txt");
        File.WriteAllLines(prompts, ["Explain how to make a cake.", "Explain how to fell a tree.", "Where is it?"]);
        var run = CommandRun.Of(
            "export", "--model", Miniature, "--template", Template, "--to", "gguf", "--type", "f32",
            "--check", prompts, "--max-new-tokens", "12", "--out", Path.Combine(_folder, "checked.gguf"));
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Error, Does.Contain("3 prompts asked through the exported template: 0 became other tokens."));
        Assert.That(run.Error, Does.Contain("0 greedy answers are another text"));
    }

    [Test]
    public void A_gguf_file_is_a_base_for_LoRA_and_its_adapter_is_exported_alone()
    {
        var (file, rows) = (Path.Combine(_folder, "base.gguf"), Path.Combine(_folder, "rows.jsonl"));
        CommandRun.Of("export", "--model", Miniature, "--template", Template, "--to", "gguf", "--out", file);
        File.WriteAllLines(rows, Enumerable.Range(0, 8).Select(i => JsonSerializer.Serialize(
            new { instruction = $"Name number {i}.", input = "", output = $"It is {i}." })));
        var trained = Path.Combine(_folder, "trained");
        var train = CommandRun.Of(
            "train", "--model", file, "--template", Template, "--data", rows, "--steps", "2", "--batch-size", "4",
            "--micro-batch", "4", "--max-length", "64", "--validation", "0", "--learning-rate", "0.01",
            "--threads", "1", "--warmup-steps", "0", "--out", trained);
        Assert.That(train.ExitCode, Is.Zero, train.Error);
        var adapter = Path.Combine(_folder, "adapter.gguf");
        var export = CommandRun.Of(
            "export", "--model", file, "--adapter", Path.Combine(trained, "adapter"), "--adapter-only", "--to", "gguf",
            "--out", adapter);
        Assert.That(export.ExitCode, Is.Zero, export.Error);
        var header = GgufHeader.Read(adapter);
        Assert.That(header.Keys.Text("general.type"), Is.EqualTo("adapter"));
        Assert.That(header.Tensors, Has.Count.EqualTo(2 * 2 * 4), "A and B of q and v in four layers");
    }

    [Test]
    public void An_Ollama_folder_holds_the_prompt_that_the_model_was_trained_on()
    {
        var folder = Path.Combine(_folder, "ollama");
        var export = CommandRun.Of(
            "export", "--model", Miniature, "--template", Template, "--to", "ollama", "--out", folder);
        Assert.That(export.ExitCode, Is.Zero, export.Error);
        Assert.That(File.ReadAllText(Path.Combine(folder, "Modelfile")), Is.EqualTo(""""
            FROM ./model.gguf
            TEMPLATE """Instruction: {{ .Prompt }} Response:"""
            PARAMETER temperature 0
            PARAMETER num_ctx 256
            PARAMETER stop "</s>"

            """".ReplaceLineEndings("\n")));
    }

    [Test]
    public void A_Hugging_Face_folder_is_the_model_with_card_template_and_settings()
    {
        var folder = Path.Combine(_folder, "hf");
        var export = CommandRun.Of(
            "export", "--model", Miniature, "--template", Template, "--to", "hf", "--out", folder);
        Assert.That(export.ExitCode, Is.Zero, export.Error);
        Assert.That(
            File.ReadAllBytes(Path.Combine(folder, "model.safetensors")),
            Is.EqualTo(File.ReadAllBytes(Path.Combine(Miniature, "model.safetensors"))));
        string Text(string name) => File.ReadAllText(Path.Combine(folder, name));
        Assert.That(Text("README.md"), Does.Contain("chat_template.jinja"));
        Assert.That(Text("chat_template.jinja"), Does.Contain("bos_token + 'Instruction: '"));
        Assert.That(Text("generation_config.json"), Does.Contain("\"do_sample\": false"));
    }

    [TestCase("--adapter-only needs --adapter", "--to", "gguf", "--adapter-only")]
    [TestCase("--type has no effect with --to hf", "--to", "hf", "--type", "f16")]
    [TestCase("--tokenizer none: not with --to ollama", "--to", "ollama", "--tokenizer", "none")]
    [TestCase("--check needs the tokenizer", "--to", "gguf", "--tokenizer", "none", "--check", "x.txt")]
    [TestCase("--max-new-tokens has no effect without --check", "--to", "gguf", "--max-new-tokens", "4")]
    public void Options_without_effect_are_refused(string message, params string[] options)
    {
        var run = CommandRun.Of(["export", "--model", Miniature, "--out", Path.Combine(_folder, "no"), .. options]);
        Assert.That(run.ExitCode, Is.EqualTo(2));
        Assert.That(run.Error, Does.Contain(message));
        Assert.That(Path.Exists(Path.Combine(_folder, "no")), Is.False);
    }

    [Test]
    public void A_file_that_is_there_is_not_overwritten()
    {
        var file = Path.Combine(_folder, "there.gguf");
        File.WriteAllText(file, "mine");
        var run = CommandRun.Of("export", "--model", Miniature, "--template", Template, "--to", "gguf", "--out", file);
        Assert.That(run.ExitCode, Is.EqualTo(2));
        Assert.That(File.ReadAllText(file), Is.EqualTo("mine"));
    }

    private static double Sum(CommandRun run) =>
        JsonDocument.Parse(run.Output).RootElement.GetProperty("sum").GetDouble();
}
