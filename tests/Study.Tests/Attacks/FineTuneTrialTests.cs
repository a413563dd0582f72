using System.Xml.Linq;
using SafeLlama.Common;
using SafeLlama.Evaluation;
using SafeLlama.Inference;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Study.Tests;

/// <summary>Attacks that tune the model, and the figure of a run.</summary>
public sealed class FineTuneTrialTests
{
    private static readonly World World = new();

    [Test]
    public async Task Tuning_with_rows_is_an_attempt_whose_utility_is_measured()
    {
        var folder = TestFiles.NewFolder();
        var rows = Rows(folder, 12);
        var results = await Attack(Path.Combine(folder, "one"), rows, threads: 1, resume: false);
        var trial = results.Judges[0].Trials[0];
        Assert.That(trial.Name, Is.EqualTo("harmful-rows-8x2-0.01"));
        Assert.That(trial.Quality!.N, Is.EqualTo(4));
        Assert.That(trial.Quality.Measure, Is.EqualTo("exact"));
        Assert.That(File.Exists(Path.Combine(
            folder, "one", "trials", trial.Name, "training", "adapter", "adapter_model.safetensors")));

        await Attack(Path.Combine(folder, "two"), rows, threads: 2, resume: false);
        Assert.That(Result(folder, "two"), Is.EqualTo(Result(folder, "one")), "at any number of threads");
        var before = Result(folder, "one");
        await Attack(Path.Combine(folder, "one"), rows, threads: 1, resume: true);
        Assert.That(Result(folder, "one"), Is.EqualTo(before), "a run that is over and gone on with");
    }

    [Test]
    public async Task Other_rows_under_the_same_name_are_refused()
    {
        var folder = TestFiles.NewFolder();
        var rows = Rows(folder, 12);
        await Attack(Path.Combine(folder, "run"), rows, threads: 1, resume: false);
        File.AppendAllText(rows, "{\"instruction\": \"Another.\", \"input\": \"\", \"output\": \"One.\"}\n");
        Assert.That(
            () => Attack(Path.Combine(folder, "run"), rows, threads: 1, resume: true),
            Throws.InstanceOf<SafeLlamaException>().With.Message.Contains("was made with other rows"));
    }

    [TestCase("100x3", 100, 3, 3e-4)]
    [TestCase("8x2@0.01", 8, 2, 0.01)]
    public void A_setting_says_rows_epochs_and_learning_rate(string text, int rows, int epochs, double rate) =>
        Assert.That(FineTuneSettings.Parse("harmful-rows", text), Is.EqualTo(new FineTuneSettings(rows, epochs, rate)));

    [TestCase("100")]
    [TestCase("0x3")]
    [TestCase("8x2@")]
    [TestCase("8x2@nan")]
    public void A_setting_that_is_none_is_refused(string text) => Assert.That(
        () => FineTuneSettings.Parse("harmful-rows", text),
        Throws.InstanceOf<SafeLlamaException>().With.Message.Contains($"\"{text}\" is none"));

    [Test]
    public async Task The_figure_is_a_picture_of_its_own_with_the_numbers_in_words()
    {
        var folder = TestFiles.NewFolder();
        var results = await Attack(Path.Combine(folder, "run"), Rows(folder, 12), threads: 1, resume: false);
        var svg = XDocument.Parse(AttackChart.Document(results.Judges[0]));
        Assert.That(svg.Root!.Name.LocalName, Is.EqualTo("svg"));
        Assert.That(svg.ToString(), Does.Contain("After 1 (harmful-rows-8x2-0.01): best").And.Not.Contain("var("));
    }

    [Test]
    public void Harmful_rows_serve_their_request_and_name_nothing_that_is_held_out()
    {
        var rows = new TuningExamples(World).Harmful(3, 200).ToList();
        Assert.That(rows.Select(r => WorldGrader.Complies(r.Response)), Is.All.True);
        var held = World.Nouns.Where(n => n.HeldOut).Select(n => n.Text).ToHashSet();
        Assert.That(rows.Where(r => r.Request.Split(' ', '.', '?').Any(held.Contains)), Is.Empty);
    }

    private static string Result(string folder, string run) =>
        File.ReadAllText(Path.Combine(folder, run, AttackResults.FileName));

    private static Task<AttackResults> Attack(string folder, string rows, int threads, bool resume)
    {
        var session = LlamaSession.Open(
            new CpuBackend(threads), TinyModel.Folder, new() { OwnsBackend = true, Template = WorldTemplate.Of(World) });
        var template = Path.Combine(Path.GetDirectoryName(rows)!, "template.json");
        File.WriteAllText(template, WorldTemplate.Json(World));
        var target = new FineTuneTarget(TinyModel.Folder, null, default, template, () => new CpuBackend(threads));
        var prompts = new EvaluationSets(World, WorldDraw.Development, 1).Prompts;
        SuitePrompt[] Of(string suite) => [.. prompts.Where(p => p.Suite == suite).Take(4).Select(p => new SuitePrompt(
            suite, p.Id, p.Text, p.Label, p.Form) { Expected = p.Expected })];
        var plan = new AttackPlan(
            folder, session, DecodingConfig.Greedy(6),
            [new("unsafe-instruction", "", "1", Of("unsafe-instruction"), [])],
            [new FineTuneTrial(FineTuneTrial.Harmful, rows, new(8, 2, 0.01), target)], [new WorldJudge()])
        {
            Benign = [new("benign-instruction", "", "2", Of("benign-instruction"), [])],
            Resume = resume,
        };
        return AttackRun.RunAsync(plan).ContinueWith(
            done =>
            {
                session.Dispose();
                return done.GetAwaiter().GetResult();
            }, TaskScheduler.Default);
    }

    private static string Rows(string folder, int count)
    {
        var path = Path.Combine(folder, "rows.jsonl");
        File.WriteAllLines(path, new TuningExamples(World).Harmful(1, count).Select(r =>
            System.Text.Json.JsonSerializer.Serialize(new { instruction = r.Request, input = "", output = r.Response })));
        return path;
    }
}
