using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Cli.Tests;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class DataShowTests
{
    private readonly Files _files = new();

    [Test]
    public void What_is_learned_stands_in_brackets_where_there_is_no_color()
    {
        var rows = _files.Rows("rows.jsonl", "tale", 5);

        var answer = Door.Run("data", "show", rows, "--model", _files.Tokenizer(rows), "--rows", "2");

        Assert.That(answer.ExitCode, Is.Zero, answer.Error);
        Assert.That(answer.Output, Does.Contain("Explain tale number 2.").And.Contain("⟦The tale of 2.</s>⟧"));
        Assert.That(answer.Output, Does.Not.Contain("number 1").And.Not.Contain("\u001b"));
    }

    [Test]
    public void Ids_give_one_token_a_line()
    {
        var rows = _files.Rows("rows.jsonl", "tale", 1);

        var answer = Door.Run("data", "show", rows, "--model", _files.Tokenizer(rows), "--ids");

        var lines = answer.Output.TrimEnd().Split('\n');
        var learned = lines.Count(line => line.Contains("  learned  "));
        Assert.That(lines[0], Does.Contain($"{lines.Length - 1} tokens, {learned} learned"));
        Assert.That(lines[^1], Does.Contain("learned").And.EndsWith("\"</s>\""));
    }

    [TestCase("tok-tinyllama-chat", "auto", "</s>⟧")]
    [TestCase("tok-smollm2", "chatml", "<|im_end|>⟧")]
    [TestCase("tok-llama3-tiktoken", "llama3", "<|eot_id|>⟧")]
    [TestCase("tok-llama2-spm", "llama2", "</s>⟧")]
    [TestCase("tok-mistral-v3", "mistral", "</s>⟧")]
    [TestCase("tok-mistral-v1", "alpaca", "</s>⟧")]
    [TestCase("tok-openllama-spm", "alpaca", "</s>⟧")]
    [TestCase("stories260K", "alpaca", "</s>⟧")]
    public void Real_tokenizers_show_what_is_learned(string tokenizer, string template, string end)
    {
        var rows = _files.Rows("rows.jsonl", "tale", 2);

        var answer = Door.Run(
            "data", "show", rows, "--model", Testing.TestFiles.Real(tokenizer), "--template", template, "--rows", "2");

        Assert.That(answer.ExitCode, Is.Zero, answer.Error);
        Assert.That(answer.Output, Does.Contain("The tale of 2.").And.Contain(end));
    }

    [TestCase("tok-llama3-tiktoken", "meta-llama-Llama-3.1-8B-Instruct", "The tale of 2.<|eot_id|>⟧")]
    [TestCase("tok-llama3-tiktoken", "meta-llama-Llama-3.2-3B-Instruct", "The tale of 2.<|eot_id|>⟧")]
    [TestCase("tok-mistral-v3", "mistralai-Mistral-Nemo-Instruct-2407", "The tale of 2.</s>⟧")]
    [TestCase("tok-tinyllama-chat", "microsoft-Phi-3.5-mini-instruct", "The tale of 2.<|end|>\n</s>⟧")]
    [TestCase("tok-smollm2", "Qwen-Qwen2.5-7B-Instruct", "The tale of 2.<|im_end|>⟧")]
    public void Real_chat_templates_show_what_is_learned(string tokenizer, string template, string answer)
    {
        var model = _files.At("model");
        Directory.CreateDirectory(model);
        foreach (var file in Directory.GetFiles(Testing.TestFiles.Real(tokenizer)))
        {
            File.Copy(file, Path.Combine(model, Path.GetFileName(file)));
        }

        File.Copy(
            Testing.TestFiles.Real($"chat-templates/{template}.jinja"), Path.Combine(model, "chat_template.jinja"));
        var shown = Door.Run(
            "data", "show", _files.Rows("rows.jsonl", "tale", 2), "--model", model, "--template", "auto",
            "--rows", "2");

        Assert.That(shown.ExitCode, Is.Zero, shown.Error);
        Assert.That(shown.Output, Does.Contain("⟦" + answer));
    }

    [Test]
    public void Json_gives_every_token()
    {
        var rows = _files.Rows("rows.jsonl", "tale", 3);

        var answer = Door.Run("data", "show", rows, "--model", _files.Tokenizer(rows), "--rows", "1,3", "--json");

        var shown = JsonDocument.Parse(answer.Output).RootElement.GetProperty("rows");
        Assert.That(
            shown.EnumerateArray().Select(row => row.GetProperty("id").GetString()),
            Is.EqualTo(new[] { "tale-1", "tale-3" }));
        Assert.That(
            string.Concat(shown[1].GetProperty("tokens").EnumerateArray()
                .Where(token => token.GetProperty("trained").GetBoolean())
                .Select(token => token.GetProperty("text").GetString())),
            Is.EqualTo("The tale of 3.</s>"));
    }

    [Test]
    public void Color_tells_learned_from_masked_and_text_stays_text()
    {
        TokenPiece[] pieces =
        [
            new(5, "ask\u001b[2J", Trained: false, Control: false),
            new(6, "answer", Trained: true, Control: false),
        ];

        Assert.That(
            TokenPaint.Paint(pieces, color: true),
            Is.EqualTo("\u001b[2mask␛[2J\u001b[0m\u001b[1;32manswer\u001b[0m"));
    }

    [TestCase("9", "row 9 is not there; the file has 2")]
    [TestCase("2-1", "2-1")]
    [TestCase("x", "'x'")]
    [TestCase("0", "'0'")]
    [Category("Fault")]
    public void A_row_that_is_not_there_is_named(string rows, string reason)
    {
        var file = _files.Rows("two.jsonl", "tale", 2);
        Door.Refuses(ExitCode.Usage, reason, "data", "show", file, "--model", _files.Tokenizer(file), "--rows", rows);
    }

    [Test]
    [Category("Fault")]
    public void A_folder_without_tokenizer_is_invalid() => Door.Refuses(
        ExitCode.InvalidData, "tokenizer.json",
        "data", "show", _files.Rows("r.jsonl", "r", 1), "--model", _files.Folder);
}
