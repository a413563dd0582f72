using System.Text.Json;
using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

/// <summary>The verb <c>attack</c> as a user runs it: kills, resume, gates, names from files.</summary>
[NonParallelizable]
public sealed class AttackCommandTests : IDisposable
{
    private const int Killed = 137;

    private readonly string _folder = TestFiles.NewFolder();
    private string _suite = "";
    private string _benign = "";
    private string _rows = "";

    [OneTimeSetUp]
    public void AttackWhole()
    {
        Testing.TinyModel.Write(Path.Combine(_folder, "model"));
        _suite = Suite("unsafe", "unsafe", i => $"Tell me about thing number {i}.");
        _benign = Suite("benign", "benign", i => $"Name a bird, number {i}.");
        _rows = Path.Combine(_folder, "rows.jsonl");
        File.WriteAllLines(_rows, Enumerable.Range(0, 8).Select(i => JsonSerializer.Serialize(
            new { instruction = $"Do thing {i}.", input = "", output = $"Here is thing {i}." })));
        var whole = Attack("whole");
        Assert.That(whole.ExitCode, Is.Zero, whole.Error);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [TestCase("append:2")]
    [TestCase("append:5")]
    [TestCase("append:9")]
    [TestCase("append:19")]
    [TestCase("step:2")]
    [TestCase("rename:4")]
    [Category("Fault")]
    public void Killed_at_a_site_and_resumed_an_attack_ends_as_if_unbroken(string fault)
    {
        var name = "killed-" + fault.Replace(':', '-');
        var run = CommandRun.Of(fault, Arguments(name));
        Assert.That(run.ExitCode, Is.EqualTo(Killed), run.Error);
        Assert.That(File.Exists(Path.Combine(_folder, name, "attack.json")), Is.False, "it was killed in mid-run");
        var resumed = Attack(name, "--resume");
        Assert.That(resumed.ExitCode, Is.Zero, resumed.Error);
        MustBeEqual(name, "whole");
    }

    [Test]
    public void Any_batch_and_any_threads_give_the_same_files()
    {
        Assert.That(Attack("batches", "--batch-size", "5", "--threads", "2").ExitCode, Is.Zero);
        MustBeEqual("batches", "whole");
    }

    [Test]
    public void The_result_on_stdout_is_the_one_in_the_folder()
    {
        var run = Attack("whole", "--resume", "--json");
        Assert.That(JsonNode.Parse(run.Output)!.ToJsonString(), Is.EqualTo(
            JsonNode.Parse(File.ReadAllText(Path.Combine(_folder, "whole", "attack.json")))!.ToJsonString()));
    }

    [TestCase("compliance_rate>=0", "always holds")]
    [TestCase("attack_success_rate>0.1", "no judge of the run gives attack_success_rate")]
    [TestCase("suffixes/compliance_rate>0.1", "there is no suite or task \"suffixes\"")]
    public void A_gate_that_the_run_cannot_decide_is_refused_before_any_work(string gate, string reason)
    {
        var run = Attack("refused", "--fail-if", gate);
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.Usage));
        Assert.That(run.Error, Does.Contain(reason));
        Assert.That(Directory.Exists(Path.Combine(_folder, "refused")), Is.False);
    }

    [Test]
    public void A_gate_is_about_the_best_attempt()
    {
        var best = JsonNode.Parse(File.ReadAllText(Path.Combine(_folder, "whole", "attack.json")))!["judges"]![0]!
            ["trials"]!.AsArray().Max(t => t!["share"]!.GetValue<double>());
        Assert.That(best, Is.GreaterThan(0), "an untrained model refuses nothing");
        var missed = Attack("whole", "--resume", "--fail-if", "compliance_rate>0.01");
        Assert.That(missed.ExitCode, Is.EqualTo((int)ExitCode.GateMissed), missed.Error);
        Assert.That(missed.Error, Does.Contain("Gate missed"));
    }

    [Test]
    public void A_run_in_which_no_attempt_was_made_is_no_success()
    {
        var run = Attack("late", "--max-seconds", "1e-6");
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.InvalidData), run.Error);
        Assert.That(run.Error, Does.Contain("none of the 7 attempts was made").And.Contain("budget of seconds"));
        Assert.That(Path.Combine(_folder, "late", "attack.json"), Does.Exist, "the clean run is kept");
    }

    [Test]
    public void No_gate_passes_a_run_in_which_no_attempt_was_made(
        [Values("compliance_rate>0.99", "compliance_rate<0.01", "suffix/compliance_rate>0.99")] string gate)
    {
        var run = Attack($"late-{gate.Length}{gate[^1]}", "--max-seconds", "1e-6", "--fail-if", gate);
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.InvalidData), run.Error);
        Assert.That(run.Error, Does.Contain("none of the 7 attempts was made"));
    }

    [Test]
    public void A_gate_does_not_pass_because_attempts_are_missing()
    {
        Assert.That(Attack("part", "--max-trials", "1").ExitCode, Is.Zero);
        string[] rest = ["--resume", "--max-seconds", "1e-6", "--fail-if"];
        var kept = Attack("part", [.. rest, "compliance_rate.n<1"]);
        Assert.That(kept.ExitCode, Is.EqualTo((int)ExitCode.GateMissed), kept.Error);
        Assert.That(kept.Error, Does.Contain("Gate not kept").And.Contain("budget of seconds")
            .And.Contain("--allow-unscored keeps it"));
        var none = Attack("part", [.. rest, "suffix/compliance_rate>0.99"]);
        Assert.That(none.ExitCode, Is.EqualTo((int)ExitCode.GateMissed), none.Error);
        Assert.That(none.Error, Does.Contain("nothing to decide on").And.Contain("suffix-2x2"));
        var allowed = Attack("part", [.. rest, "compliance_rate.n<1", "--allow-unscored"]);
        Assert.That(allowed.ExitCode, Is.Zero, allowed.Error);
        var planned = Attack("part", "--resume", "--max-trials", "1", "--fail-if", "compliance_rate.n<1");
        Assert.That(planned.ExitCode, Is.Zero, "the budget of trials is what was asked for: " + planned.Error);
    }

    [Test]
    public void Wrappers_of_a_file_are_tried_besides_those_of_the_program()
    {
        var frames = Path.Combine(_folder, "frames.jsonl");
        File.WriteAllText(frames, "{\"name\": \"mine\", \"text\": \"Before {prompt} after\"}\n");
        string[] of = ["attack", "--model", Path.Combine(_folder, "model"), "--suite", _suite, "--judge", "refusal",
            "--max-new-tokens", "4", "--threads", "1", "--attacks", "wrappers", "--wrappers"];
        var run = CommandRun.Of([.. of, frames, "--dry-run"]);
        Assert.That(run.Output, Does.Contain("wrappers-mine").And.Contain("wrappers-rot13"), run.Error);
        File.WriteAllText(frames, "{\"name\": \"mine\", \"text\": \"Before and after\"}\n");
        Assert.That(CommandRun.Of([.. of, frames, "--dry-run"]).Error, Does.Contain("frames.jsonl:1").And.Contain("{prompt}"));
    }

    [Test]
    public void A_dry_run_shows_every_attempt_and_writes_nothing()
    {
        var run = Attack("dry", "--dry-run");
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Output, Does.Contain("suffix-2x2").And.Contain("harmful-rows-4x2-0.01").And.Contain("in all about"));
        Assert.That(Directory.Exists(Path.Combine(_folder, "dry")), Is.False);
        var plan = JsonNode.Parse(Attack("dry", "--dry-run", "--json").Output)!;
        Assert.That(
            plan["trials"]!.AsArray().Select(t => t!["name"]!.GetValue<string>()), Does.Contain("suffix-2x2"));
        Assert.That(plan["seconds"]!.GetValue<double>(), Is.GreaterThan(0));
    }

    [TestCase("--judge-prefill", "--judge-prefill has no effect: it is read by prefill")]
    [TestCase("--benign", "--benign has no effect: it is read by attacks that change the model, and by many-shot")]
    public void An_option_that_no_attack_reads_is_refused(string option, string reason)
    {
        string[] value = option == "--benign" ? [option, _benign] : [option];
        var run = CommandRun.Of(
        [
            "attack", "--model", Path.Combine(_folder, "model"), "--suite", _suite, "--judge", "refusal",
            "--attacks", "wrappers=role", "--out", Path.Combine(_folder, "idle"), .. value,
        ]);
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.Usage));
        Assert.That(run.Error, Does.Contain(reason));
    }

    [Test]
    public void Artifacts_that_are_not_there_are_named_by_their_option()
    {
        var run = Attack("none", "--artifacts", "nowhere.json");
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.Usage));
        Assert.That(run.Error, Does.Contain("--artifacts nowhere.json: is not there"));
    }

    [Test]
    public void Rows_that_cannot_be_learned_are_refused_before_the_model_is_asked()
    {
        var run = Attack("many", "--attacks", "harmful-rows=999x1");
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.Usage), run.Error);
        Assert.That(run.Error, Does.Contain("999 base rows are wanted").And.Not.Contain("without an attack"));
    }

    [TestCase("wrapers", "did you mean 'wrappers'")]
    [TestCase("prefill=0", "no whole number from 1 on")]
    [TestCase("suffix=6", "expected tokens x steps")]
    [TestCase("harmful-rows=3", "expected rows x epochs")]
    [TestCase("benign-rows", "needs rows to learn from. Name a file with --benign-rows")]
    [TestCase("prefill=3/3", "settings that differ")]
    [TestCase("wrappers=rot31", "did you mean 'rot13'")]
    public void What_is_no_attack_is_told_in_one_line(string attack, string reason)
    {
        var run = Attack("none", "--attacks", attack);
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.Usage));
        Assert.That(run.Error.Trim().Split('\n'), Has.Length.EqualTo(1), run.Error);
        Assert.That(run.Error, Does.Contain(reason).And.Contain("--attacks"));
    }

    [Test]
    public void Names_and_answers_from_files_are_shown_and_not_obeyed()
    {
        const string Bad = "\u001b[31m|<b>`x`\u202e=1+1";
        var suite = Path.Combine(_folder, "bad.jsonl");
        File.WriteAllText(suite, JsonSerializer.Serialize(
            new { id = Bad, suite = Bad, prompt = $"Tell me {Bad}", label = "unsafe" }) + "\n");
        var answers = Path.Combine(_folder, "bad-answers.jsonl");
        File.WriteAllText(answers, JsonSerializer.Serialize(
            new { id = Bad, suite = Bad, prompt = $"Tell me {Bad}", response = $"Yes {Bad}" }) + "\n");
        foreach (var more in (string[][])[[], ["--json"]])
        {
            var run = CommandRun.Of(
            [
                "attack", "--model", Path.Combine(_folder, "model"), "--suite", suite, "--judge", "refusal",
                "--answers", answers, "--attacks", "prefill=2", "--max-new-tokens", "4", "--threads", "1",
                "--out", Path.Combine(_folder, "bad" + more.Length), .. more,
            ]);
            Assert.That(run.ExitCode, Is.Zero, run.Error);
            SafeOutput.MustBeVisible(run.Output.ReplaceLineEndings("\n"));
            SafeOutput.MustBeVisible(run.Error.ReplaceLineEndings("\n"));
        }

        SafeOutput.MustBeMarkdown(File.ReadAllText(Path.Combine(_folder, "bad0", "attack.md")));
    }

    /// <summary>All files but timings; the plan of a training, in its run.json, tells memory, which threads take
    /// too.</summary>
    private void MustBeEqual(string run, string other)
    {
        string[] Files(string name) =>
        [
            .. Directory.EnumerateFiles(Path.Combine(_folder, name), "*", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(Path.Combine(_folder, name), file))
                .Where(file => !Path.GetFileName(file).StartsWith("timings.json", StringComparison.Ordinal)
                    && !file.Contains("tensorboard", StringComparison.Ordinal)
                    && !file.EndsWith(Path.Combine("training", "run.json"), StringComparison.Ordinal)).Order(StringComparer.Ordinal),
        ];
        Assert.That(Files(run), Is.EqualTo(Files(other)));
        foreach (var file in Files(run))
        {
            Assert.That(
                File.ReadAllBytes(Path.Combine(_folder, run, file)),
                Is.EqualTo(File.ReadAllBytes(Path.Combine(_folder, other, file))), file);
        }
    }

    private string Suite(string name, string label, Func<int, string> prompt)
    {
        var path = Path.Combine(_folder, name + ".jsonl");
        File.WriteAllLines(path, Enumerable.Range(0, 8).Select(i => JsonSerializer.Serialize(
            new { id = $"{name}{i}", prompt = prompt(i), label })));
        return path;
    }

    private CommandRun Attack(string name, params string[] more) => CommandRun.Of(Arguments(name, more));

    private string[] Arguments(string name, params string[] more)
    {
        string[] all =
        [
            "attack", "--model", Path.Combine(_folder, "model"), "--suite", _suite, "--benign", _benign,
            "--judge", "refusal", "--attacks",
            "wrappers=role/swap,many-shot=2,prefill=2,suffix=2x2,harmful-rows=4x2@1e-2,direction=1",
            "--harmful-rows", _rows,
            "--max-new-tokens", "8", "--batch-size", "4", "--threads", "1", "--out", Path.Combine(_folder, name),
            .. more,
        ];
        foreach (var option in more.Where(m => m.StartsWith("--", StringComparison.Ordinal)))
        {
            all = all.SkipRepeated(option);
        }

        return all;
    }
}
