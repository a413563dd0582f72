using System.Text.Json.Nodes;
using SafeLlama.Common;

namespace SafeLlama.Cli.Tests;

public sealed class PreferenceCommandTests : IDisposable
{
    private TinyModel _model = null!;

    private string Pairs => Path.Combine(_model.Folder, "pairs.jsonl");

    [OneTimeSetUp]
    public void TrainBase()
    {
        _model = new TinyModel();
        var run = _model.Train();
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        File.WriteAllLines(Pairs, Enumerable.Range(0, 16).Select(i => new JsonObject
        {
            ["instruction"] = $"Name number {i}.",
            ["chosen"] = $"It is {i}.",
            ["rejected"] = i == 3 ? "It is 3." : $"I cannot say {i}.",
        }.ToJsonString()));
    }

    public void Dispose() => _model.Dispose();

    [Test]
    public void Preferences_are_learned_and_everything_about_them_is_written()
    {
        var run = CommandRun.Of(Train("dpo", "written", "--label-smoothing", "0.1"));
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Error, Does.Contain("1 row left out, their two answers are the same: pairs.jsonl#4")
            .And.Contain("11 pairs to learn, 4 held out").And.Contain("right "));
        var papers = JsonNode.Parse(File.ReadAllText(Path.Combine(_model.Out("written"), "run.json")))!;
        Assert.That(papers["plan"]!["preference"]!.ToJsonString(), Does.Contain(""" "beta":0.1""".Trim())
            .And.Contain(""" "label_smoothing":0.1""".Trim()));
        Assert.That(papers["inputs"]![Pairs]!.GetValue<string>(), Is.EqualTo(ContentHash.OfFile(Pairs)));
    }

    [Test]
    public void Where_training_goes_on_from_an_adapter_that_one_is_the_reference()
    {
        Assert.That(CommandRun.Of(Train("orpo", "first", "--learning-rate", "0.05", "--dropout", "0")).ExitCode, Is.Zero);
        var run = CommandRun.Of(Train("dpo", "second", "--adapter", Path.Combine(_model.Out("first"), "adapter")));
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        var first = File.ReadLines(Path.Combine(_model.Out("second"), "metrics.jsonl"))
            .Select(line => JsonNode.Parse(line)!).First(line => line["loss"] is not null);

        // fp32 rounding, of which packing changes the order: a reference without the adapter would be off by far more.
        Assert.That(first["loss"]!.GetValue<double>(), Is.EqualTo(Math.Log(2)).Within(1e-5));
        Assert.That(run.Error, Does.Contain("log-probabilities of 15 preferences by the model as it begins"));
    }

    [Test]
    public void A_resumed_run_keeps_its_objective()
    {
        Assert.That(CommandRun.Of(Train("kto", "kept")).ExitCode, Is.Zero);
        var other = CommandRun.Of(Train("kto", "kept", "--resume", "--beta", "0.3"));
        Assert.That(other.ExitCode, Is.EqualTo((int)ExitCode.Usage));
        Assert.That(other.Error, Does.Contain("--beta 0.3: the run in"));
        Assert.That(CommandRun.Of("train", "--resume", "--out", _model.Out("kept")).ExitCode, Is.Zero);
    }

    /// <summary>Before the reference is stored, between steps, and at a checkpoint.</summary>
    [TestCase("dpo", "rename:3")]
    [TestCase("dpo", "step:2")]
    [TestCase("kto", "step:4")]
    [TestCase("kto", "write:5")]
    [Category("Fault")]
    public void A_killed_run_goes_on_to_the_same_bytes(string objective, string fault)
    {
        var (whole, parts) = ($"{objective}-whole-{fault[^1]}", $"{objective}-parts-{fault[^1]}");
        Assert.That(CommandRun.Of(Train(objective, whole)).ExitCode, Is.Zero);
        Assert.That(CommandRun.Of(fault, Train(objective, parts)).ExitCode, Is.EqualTo(137));
        var rest = CommandRun.Of(Train(objective, parts, "--resume"));
        Assert.That(rest.ExitCode, Is.Zero, rest.Error);
        Assert.That(_model.AdapterOf(parts), Is.EqualTo(_model.AdapterOf(whole)));
        Assert.That(_model.MetricsOf(parts), Is.EqualTo(_model.MetricsOf(whole)));
    }

    [TestCase("sft", "--beta", "1", "--beta would have no effect: --objective sft learns no preferences")]
    [TestCase("dpo", "--gamma", "1", "--gamma would have no effect: --objective simpo alone asks for a margin")]
    [TestCase("ipo", "--label-smoothing", "0.1", "--label-smoothing would have no effect")]
    [TestCase("simpo", "--length-normalization", "false", "always takes means over tokens")]
    [TestCase("dpo", "--desirable-weight", "2", "they belong to --objective kto")]
    [TestCase("dpo", "--loss-divisor", "hf", "--loss-divisor would have no effect")]
    [TestCase("kto", "--train-on-inputs", "true", "orpo alone may learn prompts too")]
    [TestCase("dpo", "--beta", "0", "--beta 0: expected more than 0")]
    [TestCase("dpo", "--beta", "-", "--beta -: expected a number")]
    [TestCase("dpq", "--beta", "1", "expected one of sft, dpo, ipo, hinge, orpo, simpo, kto")]
    public void A_setting_of_another_objective_is_refused(string objective, string flag, string value, string reason)
    {
        var run = CommandRun.Of(Train(objective, "refused", flag, value));
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.Usage), run.Error);
        Assert.That(run.Error, Does.Contain(reason));
    }

    [Test]
    public void A_dry_run_tells_what_the_objective_costs()
    {
        var run = CommandRun.Of([.. Train("kto", "dry"), "--dry-run"]);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Output + run.Error, Does.Contain("objective kto: beta 0.1, log-probabilities of whole answers")
            .And.Contain("11 wanted and 11 unwanted answers to learn, 8 held out"));
        Assert.That(Directory.Exists(_model.Out("dry")), Is.False);
    }

    [Test]
    public void One_held_out_answer_is_measured_with_answers_of_the_rows_to_learn()
    {
        var rows = Answers("few.jsonl", i => $"Name number {i}.", i => i % 2 == 0);
        var run = CommandRun.Of(Train("kto", "few", "--preferences", rows, "--validation", "1")
            .SkipRepeated("--preferences").SkipRepeated("--validation"));
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Error, Does.Contain("answers to learn, 1 held out"));
    }

    [Test]
    public void One_prompt_alone_is_refused_before_anything_is_written_unless_the_point_is_given()
    {
        var rows = Answers("one.jsonl", _ => "Name it.", i => i % 2 == 0);
        string[] Of(string output, params string[] more) => [.. Train("kto", output, ["--preferences", rows, .. more])
            .SkipRepeated("--preferences")];
        var run = CommandRun.Of(Of("one"));
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.InvalidData), run.Error);
        Assert.That(run.Error, Does.Contain("no two prompts differ").And.Contain("--reference-point"));
        Assert.That(File.Exists(Path.Combine(_model.Out("one"), "run.json")), Is.False);
        Assert.That(CommandRun.Of(Of("given", "--reference-point", "0.1")).ExitCode, Is.Zero);
    }

    [TestCase(true, "every answer is wanted")]
    [TestCase(false, "no answer is wanted")]
    public void Labels_that_are_all_alike_are_told(bool label, string warning)
    {
        var rows = Answers($"alike-{label}.jsonl", i => $"Name number {i}.", _ => label);
        var run = CommandRun.Of([.. Train("kto", $"alike-{label}", "--preferences", rows)
            .SkipRepeated("--preferences"), "--dry-run"]);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Output, Does.Contain($"Warning: {warning}"));
    }

    [TestCase(MpiRun.Mpich, false)]
    [TestCase(MpiRun.OpenMpi, true)]
    public void Several_ranks_are_refused_before_anything_is_written(string mpi, bool dry)
    {
        var run = MpiRun.Of(mpi, 2, [.. Train("dpo", "ranks"), .. dry ? (string[])["--dry-run"] : []]);
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.Usage), run.Error);
        Assert.That(run.Told.Split('\n'), Has.Length.EqualTo(1));
        Assert.That(run.Told, Does.Contain("2 ranks: preferences are learned by one process alone"));
        Assert.That(Directory.Exists(_model.Out("ranks")), Is.False);
    }

    private string Answers(string name, Func<int, string> prompt, Func<int, bool> label)
    {
        var path = Path.Combine(_model.Folder, name);
        File.WriteAllLines(path, Enumerable.Range(0, 8).Select(i => new JsonObject
        {
            ["instruction"] = prompt(i),
            ["output"] = $"It is {i}.",
            ["label"] = label(i),
        }.ToJsonString()));
        return path;
    }

    private string[] Train(string objective, string output, params string[] more) =>
    [
        "train", "--model", _model.Model, "--objective", objective,
        .. objective == "sft" ? (string[])["--data", _model.Rows] : ["--preferences", Pairs], "--steps", "6",
        "--batch-size", "4", "--micro-batch", "2", "--max-length", "96", "--evaluate-every", "3", "--validation", "4",
        .. more.Contains("--learning-rate") ? (string[])[] : ["--learning-rate", "0.01"], "--warmup-steps", "0",
        "--threads", "1", "--out", _model.Out(output), .. more,
    ];
}
