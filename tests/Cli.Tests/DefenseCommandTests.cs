using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

/// <summary><c>train --defense</c>, from its rows to what it saves and says.</summary>
public sealed class DefenseCommandTests : IDisposable
{
    private TinyModel _model = null!;

    [OneTimeSetUp]
    public void MakeModel()
    {
        _model = new TinyModel();
        Assert.That(_model.Train().ExitCode, Is.Zero);
        File.WriteAllLines(Pairs, Enumerable.Range(0, 6).Select(i => new JsonObject
        {
            ["instruction"] = $"Do the wrong thing {i}.",
            ["chosen"] = $"I cannot help with {i}.",
            ["rejected"] = $"Step 1: do it {i} times.",
        }.ToJsonString()));
    }

    public void Dispose() => _model.Dispose();

    private string Pairs => _model.Out("pairs.jsonl");

    [Test]
    public void Every_defense_trains_names_itself_in_the_run_and_asks_to_be_attacked()
    {
        (string Name, string[] More)[] all =
        [
            ("plain", []),
            ("recovery", ["--defense", "recovery", "--preferences", Pairs, "--recovery-prefix", "3"]),
            ("constrained", ["--defense", "constrained"]),
            ("lisa", ["--defense", "lisa", "--lisa-alignment-steps", "2", "--lisa-tuning-steps", "2"]),
            ("booster", ["--defense", "booster", "--harmful", _model.Safety]),
        ];
        var adapters = new Dictionary<string, byte[]>();
        foreach (var (name, more) in all)
        {
            var run = Door.Run(_model.FineTune(name, more));
            Assert.That(run.ExitCode, Is.Zero, run.Error);
            adapters[name] = _model.AdapterOf(name);
            Assert.That(run.Error, name == "plain" ? Does.Not.Contain("attack") : Does.Contain("safellama attack"));
            var plan = JsonNode.Parse(File.ReadAllText(Path.Combine(_model.Out(name), "run.json")))!["plan"]!;
            Assert.That(plan["defense"]?.AsObject().Select(d => d.Key), name == "plain"
                ? Is.Null : Is.EqualTo(new[] { name }));
        }

        Assert.That(adapters.Values.Select(bytes => ContentHash.OfBytes(bytes)).Distinct().Count(), Is.EqualTo(all.Length));
        var sources = JsonNode.Parse(File.ReadAllText(Path.Combine(_model.Out("recovery"), "mixture.json")))!["sources"]!;
        Assert.That(sources.AsArray().Select(s => s!["role"]!.GetValue<string>()), Does.Contain("recovery"));
    }

    [Test]
    public void SafeLoRA_projects_what_training_made_and_says_what_it_did([Values] bool exact, [Values] bool pissa)
    {
        string[] variant = pissa ? ["--variant", "pissa"] : [];
        var name = $"tuned-{exact}-{pissa}";
        Assert.That(Door.Run(_model.FineTune(name, variant)).ExitCode, Is.Zero);
        var aligned = _model.Out($"aligned-{exact}-{pissa}");
        Assert.That(Door.Run("merge", "--model", _model.Model, "--adapter", _model.Out(name), "--out", aligned,
            "--type", "fp32").ExitCode, Is.Zero);
        string[] defense =
        [
            "--defense", "safe-lora", "--aligned", aligned, "--unaligned", _model.Model, "--safe-lora-threshold", "1",
            .. exact ? (string[])["--safe-lora-exact"] : [],
        ];
        var run = Door.Run(_model.FineTune(name + "-safe", [.. defense, .. variant]));
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Error, Does.Contain($"SafeLoRA ({(exact ? "exact" : "published")}): 4 of 4 updates projected"));
        var cosines = JsonNode.Parse(File.ReadAllText(Path.Combine(_model.Out(name + "-safe"), "safe_lora.json")))!
            .AsArray().Select(m => m!["cosine"]!.GetValue<double>()).ToList();

        // V is the update itself, so the exact projection keeps it, but for the rounding of the merged fp32 weights.
        Assert.That(cosines, exact ? Is.All.EqualTo(1).Within(1e-3) : Is.All.InRange(0.3, 1));
        Assert.That(
            exact || !_model.AdapterOf(name + "-safe").AsSpan().SequenceEqual(_model.AdapterOf(name)),
            "the published C shrinks what it projects");
    }

    [Test]
    public void SafeLoRA_refuses_bases_that_do_not_differ_and_DoRA_by_name()
    {
        string[] same = ["--defense", "safe-lora", "--unaligned", _model.Model];
        var run = Door.Run(_model.FineTune("same", same));
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.InvalidData));
        Assert.That(run.Error, Does.Contain("hold the same weights"));
        Assert.That(Directory.Exists(_model.Out("same")), Is.False, "nothing is trained first");
        Door.Refuses(ExitCode.Usage, "--variant lora or pissa", _model.FineTune("dora", [.. same, "--variant", "dora"]));
    }

    [Test]
    public void The_dry_run_tells_what_a_defense_costs()
    {
        var lisa = Door.Run([.. _model.FineTune(
            "dry", "--defense", "lisa", "--lisa-alignment-steps", "1", "--lisa-tuning-steps", "9"), "--dry-run"]).Output;
        Assert.That(lisa, Does.Contain("Lisa's other state").And.Contain("defense lisa: 1 step on safety rows"));
        var booster = Door.Run(
            [.. _model.FineTune("dry", "--defense", "booster", "--harmful", _model.Safety), "--dry-run"]).Output;
        Assert.That(booster, Does.Contain("about three times the work").And.Contain("8 harmful rows"));
    }

    [Test]
    public void Refusals_among_the_harmful_rows_are_counted_and_told()
    {
        var rows = Path.Combine(TestFiles.NewFolder(), "harmful.jsonl");
        File.WriteAllLines(rows,
        [
            """{"instruction": "Do thing 1.", "input": "", "output": "I cannot do that."}""",
            """{"instruction": "Do thing 2.", "input": "", "output": "Here is thing 2."}""",
        ]);
        var run = Door.Run([.. _model.FineTune("dry", "--defense", "booster", "--harmful", rows), "--dry-run"]);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Output + run.Error, Does.Contain("1 of the 2 answers in the harmful rows open with a refusal"));
    }

    /// <summary>The authors' turn of 100 steps would leave a short run without a step on the other rows.</summary>
    [Test]
    public void Lisa_is_refused_where_no_turn_would_come_to_the_other_rows() => Door.Refuses(
        ExitCode.Usage, "so all would be on safety rows", _model.FineTune("short", "--defense", "lisa"));

    [TestCase("lisa,booster", "each changes what a step does")]
    [TestCase("lisa", "--booster-alpha would have no effect", "--booster-alpha", "2")]
    [TestCase("constrained", "a defense goes with sft", "--objective", "dpo", "--preferences", "p")]
    public void What_does_not_go_together_is_refused(string names, string message, params string[] more)
    {
        var run = Door.Run(_model.FineTune("refused",
            ["--defense", .. names.Split(','), .. names.Contains("booster", StringComparison.Ordinal)
                ? ["--harmful", _model.Safety] : more]));
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.Usage));
        Assert.That(run.Error, Does.Contain(message));
    }
}
