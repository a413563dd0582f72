using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using SafeLlama.Common;

using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

[NonParallelizable]
public sealed class GenerateCommandTests : IDisposable
{
    private const int Count = 40;

    private TinyModel _model = null!;

    [OneTimeSetUp]
    public void Train()
    {
        _model = new TinyModel();
        Assert.That(_model.Train().ExitCode, Is.Zero);
        File.WriteAllLines(Prompts, Enumerable.Range(0, Count).Select(i => $"{{\"instruction\":\"Say {i}.\"}}"));
    }

    private string Prompts => _model.Out("prompts.jsonl");

    public void Dispose() => _model.Dispose();

    [Test]
    public void A_prompt_that_is_too_long_is_named_before_the_first_answer()
    {
        var file = _model.Out("long.jsonl");
        File.WriteAllLines(file,
            [.. File.ReadLines(Prompts),
                $"{{\"instruction\":\"{string.Join(' ', Enumerable.Repeat("again", 5000))}\"}}"]);
        var answers = _model.Out("long-answers.jsonl");
        var run = CommandRun.Of(Generate(file, answers));
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.Usage), run.Error);
        Assert.That(run.Error, Does.Contain($"long.jsonl:{Count + 1}").Or.Contain($"{Count + 1}: the prompt has"));
        Assert.That(run.Error, Does.Contain("Lower --max-new-tokens").And.Contain("Nothing was answered"));
        Assert.That(File.Exists(answers), Is.False);
    }

    [Test]
    public void Answers_are_kept_one_by_one_and_a_resumed_run_ends_as_if_unbroken()
    {
        var (whole, broken) = (_model.Out("whole.jsonl"), _model.Out("broken.jsonl"));
        Assert.That(CommandRun.Of(Generate(Prompts, whole)).ExitCode, Is.Zero);

        var killed = CommandRun.Of("append:20", Generate(Prompts, broken));
        Assert.That(killed.ExitCode, Is.EqualTo(137), killed.Error);
        Assert.That(File.ReadLines(broken).Count(), Is.EqualTo(19));
        File.AppendAllText(broken, "{\"id\":\"torn");

        var refused = CommandRun.Of(Generate(Prompts, broken));
        Assert.That((refused.ExitCode, refused.Error.Contains("--resume", StringComparison.Ordinal)),
            Is.EqualTo(((int)ExitCode.Usage, true)));
        var before = File.ReadAllBytes(broken);
        var other = CommandRun.Of([.. Generate(Prompts, broken, "--resume"), "--top-k", "3"]);
        Assert.That(other.ExitCode, Is.EqualTo((int)ExitCode.Usage), other.Error);
        Assert.That(other.Error, Does.Contain("line 1 answers").And.Contain("decoding"));
        Assert.That(other.Error, Does.Not.Contain("unfinished line"));
        Assert.That(File.ReadAllBytes(broken), Is.EqualTo(before), "a refusal drops nothing");

        var resumed = CommandRun.Of(Generate(Prompts, broken, "--resume"));
        Assert.That(resumed.ExitCode, Is.Zero, resumed.Error);
        Assert.That(resumed.Error, Does.Contain("19 of them made before"));
        Assert.That(File.ReadAllText(broken), Is.EqualTo(File.ReadAllText(whole)));
        var row = JsonNode.Parse(File.ReadLines(whole).First())!;
        Assert.That(row["source"]!["decoding"]!["temperature"]!.GetValue<double>(), Is.EqualTo(1));
    }

    [Test]
    public void Another_adapter_under_the_same_name_is_refused_and_nothing_is_dropped()
    {
        Assert.That(CommandRun.Of(_model.FineTune("tuned")).ExitCode, Is.Zero);
        var adapter = Path.Combine(_model.Out("tuned"), "adapter");
        var answers = _model.Out("exchanged.jsonl");
        string[] ask = Generate(Prompts, answers, "--adapter", adapter);
        Assert.That(CommandRun.Of("append:20", ask).ExitCode, Is.EqualTo(137));
        File.AppendAllText(answers, "{\"id\":\"torn");
        var before = File.ReadAllBytes(answers);

        var weights = Path.Combine(adapter, "adapter_model.safetensors");
        var (own, another) = (File.ReadAllBytes(weights), File.ReadAllBytes(weights));
        another[^1] ^= 0x80;
        File.WriteAllBytes(weights, another);
        var refused = CommandRun.Of([.. ask, "--resume"]);
        Assert.That(refused.ExitCode, Is.EqualTo((int)ExitCode.Usage), refused.Error);
        Assert.That(refused.Error, Does.Contain("line 1 answers").And.Contain("the hash of the adapter was "));
        Assert.That(File.ReadAllBytes(answers), Is.EqualTo(before));

        File.WriteAllBytes(weights, own);
        var resumed = CommandRun.Of([.. ask, "--resume"]);
        Assert.That(resumed.ExitCode, Is.Zero, resumed.Error);
        Assert.That(resumed.Error, Does.Contain("19 of them made before").And.Not.Contain("cannot be told"));

        // Earlier versions recorded no hashes.
        string[] earlier = [.. File.ReadAllLines(answers).Take(7).Select(WithoutHashes)];
        File.WriteAllLines(answers, earlier);
        File.WriteAllBytes(weights, another);
        var untold = CommandRun.Of([.. ask, "--resume"]);
        Assert.That(untold.ExitCode, Is.Zero, untold.Error);
        Assert.That(untold.Error, Does.Contain("it cannot be told whether 7 answers came from the same weights"));
        Assert.That(File.ReadAllLines(answers), Has.Length.EqualTo(Count));
    }

    private static string WithoutHashes(string line)
    {
        var answer = JsonNode.Parse(line)!;
        var source = answer["source"]!.AsObject();
        Assert.That(source.Remove("model_hash") && source.Remove("adapter_hash"), line);
        return answer.ToJsonString();
    }

    [Test]
    public void Ctrl_C_keeps_what_was_answered()
    {
        Signals.RequireDelivered("INT");
        var file = _model.Out("many.jsonl");
        File.WriteAllLines(file, Enumerable.Range(0, 5000).Select(i => $"{{\"instruction\":\"Say {i}.\"}}"));
        var answers = _model.Out("interrupted.jsonl");
        var run = CommandRun.Started(process =>
        {
            while (!File.Exists(answers) || new FileInfo(answers).Length == 0)
            {
                Thread.Sleep(20);
            }

            using var kill = Process.Start("kill", ["-INT", process.Id.ToString(CultureInfo.InvariantCulture)]);
            kill.WaitForExit();
        }, Generate(file, answers));
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.Interrupted), run.Error);
        Assert.That(run.Error, Does.Contain("--resume"));
        Assert.That(File.ReadLines(answers).Count(), Is.InRange(1, 4999));
    }

    private string[] Generate(string prompts, string answers, params string[] more) =>
    [
        "generate", "--model", _model.Model, "--prompts", prompts, "--out", answers, "--max-new-tokens", "8",
        "--temperature", "1", "--seed", "3", "--threads", "1", .. more,
    ];
}
