using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class DataMixTests
{
    private readonly Files _files = new();

    [Test]
    public void A_count_of_safety_rows_is_mixed_in_and_accounted_for()
    {
        var answer = Mix("counted.jsonl", "--safety-examples", "5", "--json");

        var result = JsonDocument.Parse(answer.Output).RootElement;
        var manifest = JsonDocument.Parse(File.ReadAllText(result.GetProperty("manifest").GetString()!)).RootElement;
        Assert.That(answer.ExitCode, Is.Zero, answer.Error);
        Assert.That(result.GetProperty("safety_share").GetDouble(), Is.EqualTo(5.0 / 25).Within(1e-12));
        Assert.That(File.ReadLines(_files.At("counted.jsonl")).Count(line => line.Contains("care-")), Is.EqualTo(5));
        Assert.That(manifest.GetProperty("row_ids").GetArrayLength(), Is.EqualTo(25));
    }

    [Test]
    public void A_share_of_safety_rows_is_mixed_in()
    {
        var answer = Mix("share.jsonl", "--safety-share", "0.2");

        Assert.That(answer.ExitCode, Is.Zero, answer.Error);
        Assert.That(answer.Output, Does.Contain("20 base rows and 5 safety rows: safety share 20.00%"));
    }

    [Test]
    public void The_same_seed_gives_the_same_bytes()
    {
        var first = Mix("first.jsonl", "--safety-examples", "4", "--seed", "7");
        var second = Mix("second.jsonl", "--safety-examples", "4", "--seed", "7");
        var third = Mix("third.jsonl", "--safety-examples", "4", "--seed", "8");

        Assert.That(new[] { first.ExitCode, second.ExitCode, third.ExitCode }, Is.All.Zero);
        var bytes = File.ReadAllBytes(_files.At("first.jsonl"));
        Assert.That(File.ReadAllBytes(_files.At("second.jsonl")), Is.EqualTo(bytes));
        Assert.That(File.ReadAllBytes(_files.At("third.jsonl")), Is.Not.EqualTo(bytes));
    }

    [Test]
    [Category("Fault")]
    public void Nothing_is_overwritten()
    {
        var there = _files.Write("there.jsonl", "mine\n");

        var answer = Mix("there.jsonl", "--safety-examples", "1");

        Assert.That(answer.ExitCode, Is.EqualTo((int)ExitCode.Usage));
        Assert.That(answer.Error, Does.Contain("there.jsonl").And.Contain("nothing is overwritten"));
        Assert.That(File.ReadAllText(there), Is.EqualTo("mine\n"));
    }

    [TestCase("--safety-examples", "11", "there are 10", TestName = "More_rows_than_there_are_are_refused")]
    [TestCase("--safety-share", "1", "--safety-share 1", TestName = "A_share_of_one_is_refused")]
    [Category("Fault")]
    public void What_cannot_be_mixed_is_refused(string option, string value, string names)
    {
        var answer = Mix("never.jsonl", option, value);

        Assert.That(answer.ExitCode, Is.EqualTo((int)ExitCode.Usage));
        Assert.That(answer.Error, Does.Contain(names));
        Assert.That(File.Exists(_files.At("never.jsonl")), Is.False);
    }

    [Test]
    public void Real_demonstrations_mix_into_a_real_instruction_file()
    {
        var answer = Door.Run(
            "data", "mix", "--data", TestFiles.Data("alpaca-format/alpaca_en_demo.json"),
            "--safety", TestFiles.Data("safety-tuned-llamas/safety_only_data_Instructions.json"),
            "--safety-examples", "100", "--out", _files.At("real.jsonl"), "--json");

        var result = JsonDocument.Parse(answer.Output).RootElement;
        Assert.That(answer.ExitCode, Is.Zero, answer.Error);
        Assert.That(result.GetProperty("safety_count").GetInt32(), Is.EqualTo(100));
        Assert.That(
            File.ReadLines(_files.At("real.jsonl")).Count(),
            Is.EqualTo(result.GetProperty("base_count").GetInt32() + 100));
    }

    private CommandRun Mix(string output, params string[] more) => Door.Run([
        "data", "mix", "--data", _files.Rows("base.jsonl", "tale", 20),
        "--safety", _files.Rows("safety.jsonl", "care", 10), "--out", _files.At(output), .. more,
    ]);
}
