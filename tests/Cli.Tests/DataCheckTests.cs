using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class DataCheckTests
{
    private readonly Files _files = new();

    [Test]
    public void A_sound_file_is_told_in_lines()
    {
        var rows = _files.Rows("sound.jsonl", "tale", 5);

        var answer = Door.Run("data", "check", rows);

        Assert.That(answer.ExitCode, Is.Zero, answer.Error);
        Assert.That(answer.Output, Does.Contain("5 rows, 5 good, 0 faults").And.Contain("duplicated questions: 0"));
    }

    [Test]
    public void Faults_are_all_told_and_end_with_the_code_of_invalid_data()
    {
        var rows = _files.Write("faulty.jsonl", """
            {"instruction": "a", "output": "b"}
            {"instruction": "c"}
            {"output": "d"}
            """);

        var answer = Door.Run("data", "check", rows);

        Assert.That(answer.ExitCode, Is.EqualTo((int)ExitCode.InvalidData));
        Assert.That(answer.Output, Does.Contain($"{rows}:2: output").And.Contain($"{rows}:3:"));
        Assert.That(answer.Output, Does.Contain("2 faults in all."));
    }

    [Test]
    public void Every_name_of_its_JSON_is_in_snake_case()
    {
        var rows = _files.Write("faulty.json", """[{"instruction": "a?", "output": "b"}, {"instruction": "c"}]""");

        var file = JsonDocument.Parse(Door.Run("data", "check", rows, "--json").Output).RootElement
            .GetProperty("files")[0];

        Assert.That(file.GetProperty("format").GetString(), Is.EqualTo("json"));
        Assert.That(
            file.GetProperty("forms").EnumerateObject().Select(form => form.Name),
            Is.EquivalentTo(new[] { "instruction", "question", "opinion" }));
        Assert.That(file.GetProperty("faults")[0].GetProperty("row").GetInt32(), Is.EqualTo(2));
    }

    [Test]
    public void A_row_that_an_evaluation_asks_misses_the_gate()
    {
        var rows = _files.Rows("training.jsonl", "riddle", 4);
        var suite = _files.Write("suite.txt", "Explain riddle number 2.\nSomething else altogether, in other words.\n");

        var answer = Door.Run("data", "check", rows, "--against", suite, "--json");

        var report = JsonDocument.Parse(answer.Output).RootElement.GetProperty("against")[0];
        Assert.That(answer.ExitCode, Is.EqualTo((int)ExitCode.GateMissed), answer.Error);
        Assert.That(report.GetProperty("clean").GetBoolean(), Is.False);
        Assert.That(
            report.GetProperty("hits").EnumerateArray().Where(hit => hit.GetProperty("exact").GetBoolean())
                .Select(hit => hit.GetProperty("row_id").GetString()),
            Is.EqualTo(new[] { "riddle-2" }));
    }

    [Test]
    public void A_tokenizer_gives_lengths_in_tokens()
    {
        var rows = _files.Rows("counted.jsonl", "song", 6);

        var answer = Door.Run("data", "check", rows, "--model", _files.Tokenizer(rows), "--max-length", "20", "--json");

        var encoding = JsonDocument.Parse(answer.Output).RootElement.GetProperty("files")[0].GetProperty("encoding");
        Assert.That(answer.ExitCode, Is.Zero, answer.Error);
        Assert.That(encoding.GetProperty("rows").GetInt32(), Is.EqualTo(6));
        Assert.That(encoding.GetProperty("fully_masked").GetArrayLength(), Is.EqualTo(6), "prompts fill 20 tokens");
    }

    [Test]
    public void Questions_repeated_from_one_file_to_another_are_counted()
    {
        var (some, more) = (_files.Rows("some.jsonl", "poem", 3), _files.Rows("more.jsonl", "poem", 5));

        var answer = Door.Run("data", "check", some, more, "--json");

        var root = JsonDocument.Parse(answer.Output).RootElement;
        Assert.That(root.GetProperty("repeated_across_files").GetInt32(), Is.EqualTo(3));
    }

    [Test]
    public void Control_characters_of_a_file_do_not_reach_the_terminal()
    {
        var rows = _files.Write("escape.jsonl", """{"instruction": "a", "output": "b", "\u001b[2Jfield": 1}""" + "\n");

        var answer = Door.Run("data", "check", rows);

        Assert.That(answer.Output, Does.Contain("␛[2Jfield").And.Not.Contain("\u001b"));
    }

    [Test]
    public void Options_without_effect_are_refused() => Door.Refuses(
        ExitCode.Usage, "--max-length", "data", "check", _files.Rows("idle.jsonl", "idle", 1), "--max-length", "9");

    [Test]
    [Category("Fault")]
    public void A_file_that_is_not_there_is_named() =>
        Door.Refuses(ExitCode.Usage, "nowhere.json", "data", "check", _files.At("nowhere.json"));

    [Test]
    public void Real_safety_demonstrations_overlap_with_no_suite_of_their_authors()
    {
        var rows = TestFiles.Data("safety-tuned-llamas/safety_only_data_Instructions.json");
        var suites = new[] { "I-MaliciousInstructions.json", "I-CoNa.json", "I-Controversial.json", "Q-Harm.json" }
            .Select(name => TestFiles.Data("safety-tuned-llamas/" + name));

        var answer = Door.Run(["data", "check", rows, "--against", .. suites, "--json"]);

        var root = JsonDocument.Parse(answer.Output).RootElement;
        Assert.That(answer.ExitCode, Is.Zero, answer.Error);
        Assert.That(root.GetProperty("files")[0].GetProperty("good").GetInt32(), Is.EqualTo(2483));
        Assert.That(
            root.GetProperty("against").EnumerateArray().Select(s => s.GetProperty("clean").GetBoolean()), Is.All.True);
    }
}
