using System.Text.Json;
using SafeLlama.Common;

namespace SafeLlama.Cli.Tests;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class DataConvertTests
{
    private readonly Files _files = new();

    [Test]
    public void Questions_become_instructions_and_answers_stay()
    {
        var rows = _files.Write("questions.jsonl", """
            {"id": "a", "instruction": "How do I fold a paper boat?", "output": "Fold it."}
            {"id": "b", "instruction": "Why are the streets loud?", "output": "Traffic."}
            {"id": "c", "instruction": "Name a tree.", "output": "Oak."}
            """);

        var answer = Door.Run(
            "data", "convert", rows, "--to", "instruction", "--out", _files.At("out.jsonl"), "--json");

        var result = JsonDocument.Parse(answer.Output).RootElement;
        Assert.That(answer.ExitCode, Is.Zero, answer.Error);
        Assert.That(result.GetProperty("converted").GetInt32(), Is.EqualTo(1));
        Assert.That(result.GetProperty("already_in_form").GetInt32(), Is.EqualTo(1));
        Assert.That(result.GetProperty("unconvertible")[0].GetProperty("id").GetString(), Is.EqualTo("b"));
        Assert.That(
            File.ReadAllText(_files.At("out.jsonl")),
            Does.Contain("Explain how to fold a paper boat.").And.Contain("\"origin_id\":\"a\""));
    }

    [Test]
    public void A_mapping_gives_wordings_made_elsewhere()
    {
        var rows = _files.Rows("rows.jsonl", "tale", 2);
        var wordings = _files.Write(
            "wordings.jsonl", """{"origin_id": "tale-1", "instruction": "What is tale one about?"}""" + "\n");

        var answer = Door.Run(
            "data", "convert", rows, "--to", "question", "--mapping", wordings, "--out", _files.At("out.jsonl"));

        Assert.That(answer.ExitCode, Is.Zero, answer.Error);
        Assert.That(answer.Output, Does.Contain("1 row converted").And.Contain("tale-2"));
        Assert.That(
            File.ReadAllText(_files.At("out.jsonl")),
            Does.Contain("What is tale one about?").And.Contain("The tale of 1."));
    }

    [Test]
    [Category("Fault")]
    public void Nothing_is_overwritten() => Door.Refuses(
        ExitCode.Usage, "nothing is overwritten",
        "data", "convert", _files.Rows("rows.jsonl", "tale", 1), "--to", "question",
        "--out", _files.Write("there.jsonl", ""));

    [TestCase("rhyme", "out.jsonl", "--to rhyme", TestName = "An_unknown_form_is_named")]
    [TestCase("question", "out.csv", ".jsonl", TestName = "Rows_are_written_as_jsonl_alone")]
    [Category("Fault")]
    public void What_cannot_be_done_is_refused(string form, string output, string names) => Door.Refuses(
        ExitCode.Usage, names,
        "data", "convert", _files.Rows("rows.jsonl", "tale", 1), "--to", form, "--out", _files.At(output));
}
