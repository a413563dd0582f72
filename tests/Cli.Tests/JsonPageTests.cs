using System.Text.Json;
using System.Text.Json.Nodes;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Evaluation;
using SafeLlama.Study;
using SafeLlama.Testing;
using SafeLlama.Training;

namespace SafeLlama.Cli.Tests;

/// <summary>What programs read: results, help and files, described as they are.</summary>
[Category("Docs")]
public sealed class JsonPageTests
{
    private static readonly (string, (string, Type)[])[] Parts =
    [
        ("Results", [
            ("`train`", typeof(FineTuneResult)),
            ("`train --dry-run`", typeof(PlanRecord)),
            ("`generate`, one object a line", typeof(PromptAnswer)),
            ("`score`", typeof(ScoreResult)),
            ("`merge`", typeof(MergeResult)),
            ("`export`", typeof(ExportResult)),
            ("`data check`", typeof(CheckResult)),
            ("`data show`", typeof(ShowResult)),
            ("`data mix`", typeof(MixResult)),
            ("`data convert`", typeof(ConvertResult)),
            ("`data tokenizer`", typeof(TokenizerResult)),
            ("`evaluate`; beside it `capability`, where tests of capability are asked too", typeof(EvaluationSummary)),
            ("`evaluate` with tests of capability alone", typeof(CapabilityResult)),
            ("`judge run`", typeof(EvaluationSummary)),
            ("`compare`", typeof(Comparison)),
            ("`judge validate`", typeof(JudgeCard)),
            ("`runs`", typeof(IReadOnlyList<RunEntry>)),
            ("`study`", typeof(StudyResults)),
            ("`doctor`", typeof(DoctorResult)),
            ("`doctor --kernel`", typeof(KernelResult)),
            ("any verb with `--help --json`", typeof(HelpJson)),
        ]),
        ("Files of `train`", [
            ("`run.json`", typeof(RunFile)),
            ("`mixture.json`, and the manifest of `data mix`", typeof(MixtureManifest)),
            ("`metrics.jsonl`, a step", typeof(StepMetrics)),
            ("`metrics.jsonl`, a validation", typeof(ValidationMetrics)),
            ("`timings.jsonl`", typeof(StepTiming)),
            ("`checkpoints/step-N/trainer_state.json`", typeof(TrainerState)),
        ]),
        ("Files of `evaluate`, `judge` and `compare`", [
            ("`run.json`", typeof(RunManifest)),
            ("`prompts.jsonl`", typeof(SuitePrompt)),
            ("`responses.jsonl`", typeof(Response)),
            ("`verdicts.jsonl`", typeof(Verdict)),
            ("`summary.json`", typeof(EvaluationSummary)),
            ("`judge-card-*.json`", typeof(JudgeCard)),
            ("`comparison.json`", typeof(Comparison)),
            ("`capability.json`", typeof(CapabilityResult)),
            ("`capability-run.json`", typeof(CapabilityRun)),
            ("`capability.jsonl`", typeof(ChoiceRecord)),
            ("`reward.json` of `judge train`", typeof(RewardResult)),
        ]),
        ("Files of `study`", [
            ("`results.json`", typeof(StudyResults)),
            ("`timings.json`: seconds by replicate", typeof(IReadOnlyDictionary<string, double>)),
            ("`training.json` of a replicate", typeof(TrainingSummary)),
        ]),
    ];

    /// <summary>SAFELLAMA_WRITE_DOCS=1 writes the page instead.</summary>
    [Test]
    public void The_page_is_what_the_types_say()
    {
        var path = Path.Combine(TestFiles.Root, "docs", "json.md");
        var page = JsonPage.Of(Parts);
        if (Environment.GetEnvironmentVariable("SAFELLAMA_WRITE_DOCS") == "1")
        {
            File.WriteAllText(path, page);
        }

        Assert.That(File.ReadAllText(path), Is.EqualTo(page), "SAFELLAMA_WRITE_DOCS=1 makes the page anew");
    }

    [Test]
    public void Help_is_there_for_programs()
    {
        var help = JsonNode.Parse(Door.Run("train", "--help", "--json").Output)!;
        var options = help["options"]!.AsArray().ToDictionary(o => o!["name"]!.GetValue<string>(), o => o!);
        Assert.Multiple(() =>
        {
            Assert.That(help["verb"]!.GetValue<string>(), Is.EqualTo("train"));
            Assert.That(options["--micro-batch"].ToJsonString(), Does.Contain("\"type\":\"whole number\"")
                .And.Contain("\"unit\":\"ROWS\"").And.Contain("\"default\":\"4\""));
            Assert.That(options["--schedule"]["choices"]!.AsArray().Select(c => c!.GetValue<string>()),
                Is.EqualTo(new[] { "linear", "cosine", "constant" }));
            Assert.That(options["--data"]["several"]!.GetValue<bool>());
            Assert.That(options["--full"]["type"]!.GetValue<string>(), Is.EqualTo("switch"));
            Assert.That(
                JsonNode.Parse(Door.Run("judge", "train", "--help", "--json").Output)!["verb"]!.GetValue<string>(),
                Is.EqualTo("judge train"));
            Assert.That(
                JsonNode.Parse(Door.Run("--help", "--json").Output)!["verbs"]!.AsArray(), Has.Count.GreaterThan(8));
        });
    }

    [TestCase("train", "--rnak", "4", "--rank")]
    [TestCase("trian", "--rank", "4", "train")]
    public void A_typo_is_answered_with_what_was_meant(string verb, string option, string value, string meant) =>
        Door.Refuses(ExitCode.Usage, $"Did you mean {meant}?", verb, option, value);

    [Test]
    public void An_interval_names_its_parts_and_an_old_one_is_read()
    {
        var text = JsonSerializer.Serialize(new Interval(0.5, 0.25, double.NaN), EvaluationJson.Line);
        Assert.That(text, Is.EqualTo("""{"value":0.5,"low":0.25,"high":null,"level":0.95}"""));
        foreach (var form in (string[])[text, "[0.5,0.25,null]"])
        {
            var read = JsonSerializer.Deserialize<Interval>(form, EvaluationJson.Line);
            Assert.That((read.Value, read.Low, double.IsNaN(read.High)), Is.EqualTo((0.5, 0.25, true)), form);
        }

        Assert.That(JsonSerializer.Serialize(Interval.None, EvaluationJson.Line), Is.EqualTo("null"));
        Assert.That(() => JsonSerializer.Deserialize<Interval>("[1,2]", EvaluationJson.Line),
            Throws.InstanceOf<JsonException>());
    }
}
