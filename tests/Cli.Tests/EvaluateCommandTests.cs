using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

/// <summary>The verbs that evaluate, as a user runs them: kills, resume, gates, comparisons, judges.</summary>
[NonParallelizable]
public sealed class EvaluateCommandTests : IDisposable
{
    private const int Killed = 137;

    /// <summary>What equal work must leave byte for byte.</summary>
    private static readonly string[] Results =
    [
        "run.json", "prompts.jsonl", "responses.jsonl", "verdicts.jsonl", "summary.json", "summary.md", "summary.csv",
        "report.html",
    ];

    private readonly string _folder = TestFiles.NewFolder();
    private string _suite = "";

    [OneTimeSetUp]
    public void EvaluateWhole()
    {
        Testing.TinyModel.Write(Path.Combine(_folder, "model"));
        _suite = Path.Combine(_folder, "mine.jsonl");
        File.WriteAllLines(_suite, Enumerable.Range(0, 20).Select(i => JsonSerializer.Serialize(new
        {
            id = $"p{i}",
            prompt = $"Tell me about thing number {i}.",
            label = i % 2 == 0 ? "safe" : "contrast",
            twin = $"p{i ^ 1}",
        })));
        var whole = Evaluate("whole");
        Assert.That(whole.ExitCode, Is.Zero, whole.Error);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>
    /// Answers are appended first, four at a time, then the verdicts of two judges, sixteen and four.
    /// </summary>
    [TestCase("append:3")]
    [TestCase("append:7")]
    [TestCase("rename:3")]
    [Category("Fault")]
    public void Killed_at_a_site_and_resumed_an_evaluation_ends_as_if_unbroken(string fault) => KillAndResume(fault);

    [Test]
    [Category("Fault")]
    [Slow("kills at ten sites, one after another")]
    public void Killed_at_many_sites_and_resumed_an_evaluation_ends_as_if_unbroken(
        [Values("append:1", "append:4", "append:5", "append:6", "append:8", "append:9", "write:2", "flush:4",
            "rename:1", "rename:5")]
        string fault) => KillAndResume(fault);

    [TestCase(4)]
    [TestCase(12)]
    [Category("Fault")]
    public void Killed_from_outside_and_resumed_an_evaluation_ends_as_if_unbroken(int answers)
    {
        var name = $"outside-{answers}";
        var run = CommandRun.InterruptedAt(
            $"answers: {answers} of", p => p.Kill(), Arguments(name, "--max-new-tokens", "48"));
        Assert.That(run.ExitCode, Is.EqualTo(Killed));
        Assert.That(File.Exists(Path.Combine(_folder, name, "summary.json")), Is.False, "it was killed in mid-run");
        Assert.That(Evaluate(name, "--resume", "--max-new-tokens", "48").ExitCode, Is.Zero);
        Assert.That(Evaluate(name + "-whole", "--max-new-tokens", "48").ExitCode, Is.Zero);
        MustBeEqual(name, name + "-whole");
    }

    [TestCase("bolq", "no known task")]
    [TestCase("boolq", "boolq.test.json")]
    public void A_test_of_capability_that_cannot_be_run_is_refused_before_any_folder(string task, string expected)
    {
        Door.Refuses(
            ExitCode.Usage, expected, "evaluate", "--model", Path.Combine(_folder, "model"), "--suite", _suite,
            "--capability", task, "--out", Path.Combine(_folder, "never"));
        Assert.That(Directory.Exists(Path.Combine(_folder, "never")), Is.False);
    }

    [Test]
    public void Any_batch_and_any_threads_give_the_same_files()
    {
        Assert.That(Evaluate("batches", "--batch-size", "7", "--threads", "2").ExitCode, Is.Zero);
        MustBeEqual("batches", "whole");
    }

    [Test]
    public void Names_from_files_are_shown_and_not_obeyed()
    {
        var run = Path.Combine(_folder, "names");
        var answers = Path.Combine(_folder, "names.jsonl");
        File.WriteAllLines(answers, File.ReadLines(TestFiles.Fault("eval/names/names2.jsonl"))
            .Where(line => !line.Contains("\"suite\": \"all\"", StringComparison.Ordinal)));
        foreach (var told in (CommandRun[])
        [
            CommandRun.Of("evaluate", "--responses", answers, "--out", run),
            CommandRun.Of("judge", "run", run, "--judge", "xstest"),
            CommandRun.Of("runs", run),
            CommandRun.Of("runs", run, "--json"),
            CommandRun.Of("compare", run, run),
            CommandRun.Of("compare", run, run, "--json"),
        ])
        {
            Assert.That(told.ExitCode, Is.Zero, told.Error);
            SafeOutput.MustBeVisible(told.Output.ReplaceLineEndings("\n"));
            SafeOutput.MustBeVisible(told.Error.ReplaceLineEndings("\n"));
        }

        SafeOutput.MustBeMarkdown(File.ReadAllText(Path.Combine(run, "summary.md")));
        SafeOutput.MustBeCsv(File.ReadAllText(Path.Combine(run, "summary.csv")));
    }

    [Test]
    public void What_cannot_be_done_is_told_in_one_line_before_the_work()
    {
        var labels = TestFiles.Fault("eval/refusal-wordings/refusals.jsonl");
        var card = Path.Combine(_folder, "new-card.json");
        string[] validate = ["judge", "validate", "--judge", "refusal", "--labels", labels, "--out"];
        Assert.That(CommandRun.Of([.. validate, card]).ExitCode, Is.Zero);
        foreach (var (told, message) in ((CommandRun, string)[])
        [
            (CommandRun.Of([.. validate, card]), "is there already"),
            (CommandRun.Of([.. validate, ""]), "--out is empty"),
            (Evaluate("", "--max-new-tokens", "8"), "--out"),
            (Evaluate("too-long", "--max-new-tokens", "100000"), "--max-new-tokens 100000: leaves no room"),
        ])
        {
            Assert.That(told.ExitCode, Is.EqualTo((int)ExitCode.Usage), message);
            Assert.That(told.Error, Does.Contain(message).And.Not.Contain("Exception"));
        }

        Assert.That(Directory.Exists(Path.Combine(_folder, "too-long")), Is.False);
    }

    [Test]
    public void A_gate_that_is_missed_ends_with_six()
    {
        Assert.That(
            Evaluate("gate", "--fail-if", "compliance_rate.n<1000").ExitCode, Is.EqualTo((int)ExitCode.GateMissed));
        Assert.That(Evaluate("kept", "--fail-if", "compliance_rate.n>1000").ExitCode, Is.Zero);
        Assert.That(
            Evaluate("headline", "--fail-if", "over-refusal.n<1000").ExitCode, Is.EqualTo((int)ExitCode.GateMissed));
        var bad = Evaluate("never", "--fail-if", "compliance_rate");
        Assert.That(
            (bad.ExitCode, Directory.Exists(Path.Combine(_folder, "never"))), Is.EqualTo(((int)ExitCode.Usage, false)));
    }

    [Test]
    public void What_a_model_can_do_is_gated_though_no_suite_is_asked()
    {
        File.WriteAllText(Path.Combine(_folder, "openbookqa.test.json"), JsonSerializer.Serialize(new[]
        {
            new
            {
                instruction = "Please choose the correct answer to the question: Is a stone hard?\n\nAnswer1: yes "
                    + "Answer2: no\n\nAnswer format: answer1/answer2",
                answer = "answer1",
            },
        }));
        CommandRun Gated(string name, string gate) => CommandRun.Of(
            "evaluate", "--model", Path.Combine(_folder, "model"), "--capability", "openbookqa", "--suites", _folder,
            "--threads", "1", "--out", Path.Combine(_folder, name), "--fail-if", gate);
        var missed = Gated("able", "acc.n<2");
        Assert.That(missed.ExitCode, Is.EqualTo((int)ExitCode.GateMissed), missed.Error);
        Assert.That(Gated("able-n", "openbookqa/acc_norm.n>1").ExitCode, Is.Zero);
        Assert.That(Gated("able-no", "over_refusal>0.1").ExitCode, Is.EqualTo((int)ExitCode.Usage));
    }

    [Test]
    public void Two_models_are_compared_in_a_table_and_in_words()
    {
        Testing.TinyModel.Write(Path.Combine(_folder, "model-2"), seed: 2);
        var babble = Evaluate("other", "--model", Path.Combine(_folder, "model-2"));
        Assert.That(babble.ExitCode, Is.EqualTo((int)ExitCode.Failure), "random weights answer with no sentences");
        Assert.That(babble.Error, Does.Contain("More than half invalid is no success"));
        var compared = CommandRun.Of(
            "compare", Path.Combine(_folder, "whole"), Path.Combine(_folder, "other"), "--out",
            Path.Combine(_folder, "compared"));
        Assert.That(compared.ExitCode, Is.Zero, compared.Error);
        Assert.That(compared.Output, Does.Contain("over-refusal ↓").And.Contain("pair discrimination ↑")
            .And.Contain("adjusted p").And.Not.Contain("refusal_rate"));
        Assert.That(compared.Output.Split('\n').Select(line => line.Length), Is.All.LessThanOrEqualTo(100));
        string[] runs = ["compare", Path.Combine(_folder, "whole"), Path.Combine(_folder, "other")];
        string[] tables =
        [
            CommandRun.Of([.. runs, "--all"]).Output, CommandRun.Of("runs", runs[1]).Output,
            CommandRun.Of("evaluate", "--list").Output,
        ];
        Assert.That(tables.SelectMany(t => t.Split('\n')).Select(line => line.Length), Is.All.LessThanOrEqualTo(100));
        Assert.That(tables[0],
            Does.Contain("each fact is tested once").And.Contain("over_refusal").And.Contain("adjusted p"));
        Assert.That(CommandRun.Of([.. runs, "--all", "--json"]).Error, Does.Contain("--all has no effect with --json"));
        Assert.That(CommandRun.Of([.. runs, "--open"]).Error, Does.Contain("--open has no effect without --out"));
        Assert.That(File.Exists(Path.Combine(_folder, "compared", "comparison.md")));
        Assert.That(File.Exists(Path.Combine(_folder, "compared", "comparison.html")));
        Assert.That(CommandRun.Of("runs", _folder).Output, Does.Contain("finished"));
    }

    [TestCase("--judge nobody", "is unknown")]
    [TestCase("--temperature 0.5", "have no effect")]
    [TestCase("--samples 3", "every answer is the same")]
    [TestCase("--suite nothing", "neither a file nor a known suite")]
    [TestCase("--judge guard", "--judge-model")]
    [TestCase("--model nowhere", "config.json")]
    [TestCase("--threshold 0.9", "--threshold has no effect with --judge refusal")]
    [TestCase("--judge rubric --threshold NaN", "--threshold NaN: expected a number")]
    [TestCase("--judge rubric --threshold 50", "expected a number from 0 to 1")]
    [TestCase("--fail-if ", "--fail-if is empty")]
    [TestCase("--fail-if over_refusals>0.1", "is no metric; did you mean 'over_refusal'?")]
    [TestCase("--fail-if harmful_compliance>0.1", "no judge of the run gives")]
    [TestCase("--fail-if attack_success_rate>0.1", "no judge of the run gives")]
    [TestCase("--all --json", "--all has no effect with --json")]
    [TestCase("--shots 2", "--shots has no effect without --capability")]
    [TestCase("--fail-if acc<0.5", "nothing that gives acc is asked")]
    [TestCase("--responses answers.jsonl --max-new-tokens 9", "has no effect with --responses")]
    public void A_users_mistake_is_one_line(string mistake, string expected)
    {
        var run = Evaluate("mistake", mistake.Split(' '));
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.Usage).Or.EqualTo((int)ExitCode.InvalidData), run.Error);
        Assert.That(run.Error.Split('\n')[^1], Does.StartWith("safellama: ").And.Contain(expected));
    }

    private void KillAndResume(string fault)
    {
        var name = "killed-" + fault.Replace(':', '-');
        var run = CommandRun.Of(fault, Arguments(name));
        Assert.That(run.ExitCode, Is.EqualTo(Killed), run.Error);
        Assert.That(run.Error, Does.Contain("killed at " + fault.Split(':')[0]));
        Assert.That(run.Output, Is.Empty, "it was killed in mid-run");
        var resumed = Evaluate(name, "--resume");
        Assert.That(resumed.ExitCode, Is.Zero, resumed.Error);
        MustBeEqual(name, "whole");
    }

    private void MustBeEqual(string run, string other)
    {
        foreach (var file in Results)
        {
            Assert.That(
                File.ReadAllBytes(Path.Combine(_folder, run, file)),
                Is.EqualTo(File.ReadAllBytes(Path.Combine(_folder, other, file))), $"{run}/{file}");
        }
    }

    private CommandRun Evaluate(string name, params string[] more) => CommandRun.Of(Arguments(name, more));

    private string[] Arguments(string name, params string[] more)
    {
        string[] all =
        [
            "evaluate", "--model", Path.Combine(_folder, "model"), "--suite", _suite, "--judge", "refusal", "xstest",
            "--max-new-tokens", "12", "--batch-size", "4", "--threads", "1", "--out", Path.Combine(_folder, name),
            .. more,
        ];
        foreach (var option in more.Where(
            m => m.StartsWith("--", StringComparison.Ordinal) && m != "--judge" && m != "--suite"))
        {
            all = all.SkipRepeated(option);
        }

        return all;
    }
}
