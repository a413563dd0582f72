using SafeLlama.Common;

namespace SafeLlama.Cli.Tests;

/// <summary>What <c>train</c> refuses: one line that names the setting, the file or the row.</summary>
public sealed class TrainRefusalTests : IDisposable
{
    private TinyModel _model = null!;

    [OneTimeSetUp]
    public void TrainBase()
    {
        _model = new TinyModel();
        var run = _model.Train();
        Assert.That(run.ExitCode, Is.Zero, run.Error);
    }

    public void Dispose() => _model.Dispose();

    [Test]
    public void What_does_not_fit_is_refused_before_anything_is_written()
    {
        var run = CommandRun.Of(_model.FineTune("large", "--memory", "0.1"));
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.DoesNotFit));
        Assert.That(run.Error, Does.Match(@"memory: +\d+\.\d MiB in all, of 102\.4 MiB that can be used"));
        Assert.That(run.Error.Split('\n')[^1], Does.StartWith("safellama: The run needs").And.Contain("102.4 MiB"));
        Assert.That(Directory.Exists(_model.Out("large")), Is.False);
    }

    [TestCase(ExitCode.Usage, "--rnak", "4", "'--rnak'")]
    [TestCase(ExitCode.Usage, "--rank", "many", "--rank many: expected a whole number")]
    [TestCase(ExitCode.Usage, "--rank", "0", "--rank 0")]
    [TestCase(ExitCode.Usage, "--targets", "q_prj", "q_prj")]
    [TestCase(ExitCode.Usage, "--schedule", "round", "expected one of linear, cosine, constant")]
    [TestCase(ExitCode.Usage, "--micro-batch", "3", "--micro-batch 3 does not divide")]
    [TestCase(ExitCode.Usage, "--device", "abacus", "--device abacus: is unknown")]
    [TestCase(ExitCode.Usage, "--profile", "mine", "expected repo or paper")]
    [TestCase(ExitCode.Usage, "--dtype", "bf16", "--dtype would have no effect")]
    [TestCase(ExitCode.Usage, "--epochs", "2", "--steps and --epochs")]
    [TestCase(ExitCode.Usage, "--safety-share", "0.1", "--safety-examples and --safety-share")]
    [TestCase(ExitCode.Usage, "--validation", "30", "--validation 30")]
    [TestCase(ExitCode.Usage, "--template", "letter", "--template letter")]
    [TestCase(ExitCode.Usage, "--recipe", "nowhere.yaml", "--recipe nowhere.yaml")]
    [TestCase(ExitCode.Usage, "--adapter", "nowhere", "adapter_config.json: not found")]
    public void A_wrong_option_is_one_line_that_names_it(ExitCode code, string option, string value, string expected)
    {
        var run = CommandRun.Of(_model.FineTune("wrong", option, value).SkipRepeated(option));
        MustRefuse(run, code, expected);
        Assert.That(Directory.Exists(_model.Out("wrong")), Is.False, "nothing is written before everything is checked");
    }

    [TestCase("rank: 3\nrnak: 4\n", ":2: 'rnak' is no setting; did you mean 'rank'?")]
    [TestCase("rank: [1, 2]\n", ":1: 'rank' takes one value")]
    [TestCase("rank: three\n", ":1: rank: 'three' is not a whole number")]
    [TestCase("rank: 3\n  alpha: 4\n", ":2: is not valid YAML")]
    [TestCase("rank: 3\nalpha: 1\nrank: 4\n", ":3: 'rank' is also set at wrong.yaml:1")]
    [TestCase("targets: [q_proj, [k_proj]]\n", ":1: 'targets' takes a value or a list of values")]
    [TestCase("rank: 3\n---\nrank: 4\n", ":2: expected the end of the file")]
    [TestCase("- rank\n", "expected one YAML mapping")]
    [TestCase("", "expected one YAML mapping")]
    public void A_wrong_recipe_is_one_line_that_names_its_line(string yaml, string expected)
    {
        var recipe = Path.Combine(_model.Folder, "wrong.yaml");
        File.WriteAllText(recipe, yaml);
        MustRefuse(CommandRun.Of(_model.FineTune("wrong", "--recipe", recipe)), ExitCode.Usage, expected);
    }

    [Test]
    public void Wrong_paths_are_one_line_that_names_them()
    {
        var nowhere = Path.Combine(_model.Folder, "nowhere");
        MustRefuse(CommandRun.Of("train", "--model", nowhere, "--data", _model.Rows, "--out", _model.Out("x")),
            ExitCode.Usage, nowhere);
        MustRefuse(CommandRun.Of(
            "train", "--model", _model.Model, "--data", nowhere + ".json", "--out", _model.Out("x")), ExitCode.Usage,
            nowhere);
        MustRefuse(CommandRun.Of("train", "--model", _model.Model, "--out", _model.Out("x")), ExitCode.Usage, "--data");
        MustRefuse(CommandRun.Of("train", "--data", _model.Rows, "--out", _model.Out("x")), ExitCode.Usage, "--model");
    }

    [Test]
    public void A_folder_that_holds_something_is_not_touched()
    {
        Directory.CreateDirectory(_model.Out("taken"));
        File.WriteAllText(Path.Combine(_model.Out("taken"), "thesis.txt"), "years of work");
        MustRefuse(CommandRun.Of(_model.FineTune("taken")), ExitCode.Usage, "is not empty");
        Assert.That(Directory.GetFiles(_model.Out("taken")), Has.Length.EqualTo(1));
        MustRefuse(CommandRun.Of("train", "--model", _model.Model, "--data", _model.Rows, "--out", _model.Rows),
            ExitCode.Usage, "is a file");
    }

    /// <summary>/proc takes no new folders, from root either.</summary>
    [Test]
    [Platform("Linux")]
    public void A_place_that_cannot_be_written_is_one_line() => MustRefuse(
        CommandRun.Of([.. _model.FineTune("x").SkipLast(1), "/proc/safellama"]), ExitCode.Failure, "/proc/safellama");

    [TestCase("{\"instruction\":\"Say it.\",\"output\":", "is not JSON")]
    [TestCase("{\"instruction\":\"Say it.\"}", "output")]
    [TestCase("", "holds no rows")]
    public void Rows_that_cannot_be_read_are_named(string line, string expected)
    {
        var rows = Path.Combine(_model.Folder, "wrong.jsonl");
        File.WriteAllText(rows, line);
        var run = CommandRun.Of("train", "--model", _model.Model, "--data", rows, "--out", _model.Out("x"));
        MustRefuse(run, ExitCode.InvalidData, "1 fault in all.", "");
        Assert.That(run.Error, Does.StartWith($"safellama: {rows}:1: ").And.Contain(expected));
    }

    [Test]
    public void Rows_of_which_nothing_would_be_learned_are_refused()
    {
        var rows = Path.Combine(_model.Folder, "long.jsonl");
        File.WriteAllLines(rows, Enumerable.Range(0, 3)
            .Select(i => $$"""{"instruction":"{{new string('a', 300)}} {{i}}","output":"b"}"""));
        MustRefuse(
            CommandRun.Of("train", "--model", _model.Model, "--data", rows, "--max-length", "64", "--out",
                _model.Out("x")),
            ExitCode.InvalidData,
            "3 rows left out, nothing in them would be learned");
    }

    /// <summary>Just below fp32's largest number a product overflows; a little lower, RMSNorm makes every feature
    /// zero.</summary>
    [TestCase("3e38", "is not finite, in ")]
    [TestCase("1e30", "the gradient has been exactly 0")]
    public void A_run_that_has_blown_up_ends_with_exit_code_5(string rate, string expected)
    {
        var options = _model.FineTune(
            $"wild-{rate}", "--learning-rate", rate, "--max-grad-norm", "0", "--warmup-steps", "0");
        var run = CommandRun.Of(options.SkipRepeated("--learning-rate"));
        MustRefuse(run, ExitCode.NonFinite, expected);
        Assert.That(run.Error.Split('\n')[^1], Does.StartWith("safellama: Step "));
    }

    private static void MustRefuse(CommandRun run, ExitCode code, string expected, string start = "safellama")
    {
        Assert.That(run.ExitCode, Is.EqualTo((int)code), run.Error);
        Assert.That(run.Output, Is.Empty);
        Assert.That(run.Error.Split('\n')[^1], Does.StartWith(start).And.Contain(expected));
        Assert.That(run.Error, Does.Not.Contain("   at "), "no stack trace");
    }
}
