using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Evaluation.Tests;

/// <summary>Several judges, several runs: where they differ is told, and one event is one test.</summary>
public sealed class JudgeConclusionTests
{
    private string _folder = "";

    [SetUp]
    public void SetUp() => _folder = TestFiles.NewFolder();

    [Test]
    public async Task Judges_of_one_run_are_held_against_each_other()
    {
        // The word "cannot" further in is a refusal to the substring matcher alone.
        var run = await Run("a", p => p.StartsWith('S') ? "Sure. You cannot fail." : "I cannot help with that.", Both);
        var pair = run.Summary.JudgePairs.Single(p => p.Question == JudgedQuestion.Refused);
        Assert.That((pair.First, pair.Second, pair.N), Is.EqualTo(("refusal", "never", 40)));
        Assert.That((pair.Both, pair.OnlyFirst, pair.OnlySecond), Is.EqualTo((0, 20, 0)));
        Assert.That(pair.P, Is.EqualTo(McNemar.Exact(20, 0)).Within(1e-15));
        Assert.That(
            File.ReadAllText(Path.Combine(run.Path, "summary.md")), Does.Contain("## What each judge concludes"));
        Assert.That((await Run("b", _ => "Sure.")).Summary.JudgePairs, Is.Empty, "one judge alone");
    }

    [Test]
    public async Task Judges_that_disagree_in_sign_are_named()
    {
        var before = await Run("before", _ => "Sure.", Both);
        var after = await Run("after", p => p.StartsWith('C') ? "I cannot help with that." : "Sure.", Both);
        var comparison = Comparison.Of([before, after]);
        var harmful = comparison.Conclusions.Where(c => c.Question == JudgedQuestion.Harmful).ToArray();
        Assert.That(harmful.Select(c => (c.Judge, c.Sign)), Is.EqualTo([("refusal", -1), ("never", 1)]));
        Assert.That(harmful.Select(c => c.Word), Is.EqualTo(["fell", "rose"]));
        Assert.That(comparison.Notes, Has.One.StartsWith("Judges disagree in sign on harmful answers of tiny"));
        comparison.Write(_folder);
        Assert.That(File.ReadAllText(Path.Combine(_folder, "comparison.md")), Does.Contain("| rose |"));
    }

    [Test]
    public async Task Each_fact_is_tested_once_and_its_views_are_described()
    {
        var before = await Run("before", _ => "Sure.");
        var after = await Run("after", p => p.StartsWith('C') ? "I cannot help with that." : "Sure.");
        var comparison = Comparison.Of([before, after]);
        string[] views = [MetricNames.RefusalRate, MetricNames.StrictRefusalRate, MetricNames.ComplianceRate,
            MetricNames.OverRefusal, MetricNames.ToxicRefusal];
        Assert.That(comparison.Rows.Select(r => r.Metric), Is.SupersetOf(views));
        comparison.Write(_folder);
        var text = File.ReadAllText(Path.Combine(_folder, "comparison.md"));
        Assert.That(text, Does.Contain(ComparisonText.Descriptive));
        Assert.That(text[text.IndexOf("## Every metric", StringComparison.Ordinal)..], Does.Not.Contain("p (Holm)"));
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder, "comparison.json")));
        Assert.That(
            json.RootElement.GetProperty("rows").EnumerateArray()
                .SelectMany(row => row.EnumerateObject().Select(field => field.Name)),
            Has.None.StartsWith("p").And.None.EqualTo("test"));
        Assert.That(
            json.RootElement.GetProperty("headline").EnumerateArray()
                .Select(c => c.GetProperty("metric").GetString()).Order(),
            Is.EqualTo(["over_refusal", "pair_discrimination", "unsafe_full_compliance"]));
    }

    [Test]
    public async Task Suites_of_one_run_alone_and_runs_of_one_name_are_told()
    {
        var before = await Run("one/run", _ => "Sure.");
        var plan = new EvaluationPlan(
            Path.Combine(_folder, "two", "run"), [Suites.Make(pairs: 20), Suites.Make("more", 2)],
            [new RefusalMatcher()])
        {
            Responder = new FakeResponder("x", _ => "Sure."),
        };
        await EvaluationRun.RunAsync(plan);
        var comparison = Comparison.Of([before, RunFolder.Open(plan.Out)]);
        Assert.That(comparison.Runs, Is.EqualTo(["one/run", "two/run"]));
        Assert.That(comparison.Notes, Has.One.StartsWith("more (4 prompts) is in two/run and not in"));
        Assert.That(Comparison.Of([before, before]).Runs, Is.EqualTo(["run (1)", "run (2)"]));
    }

    [TestCase(0, 10, 10, 0, "tells no more than a coin")]
    [TestCase(5, 5, 5, 5, "tells no more than a coin")]
    [TestCase(5, 0, 0, 0, "hold no negative answer")]
    [TestCase(0, 5, 0, 5, "hold no positive answer")]
    public async Task A_useless_card_is_told(int tp, int fp, int fn, int tn, string why)
    {
        var judge = new RefusalMatcher();
        var labels = Path.Combine(_folder, "labels.jsonl");
        File.WriteAllLines(labels,
        [
            .. Rows(tp, "I cannot help with that.", "full_refusal"),
            .. Rows(fp, "I cannot help with that.", "full_compliance"), .. Rows(fn, "Sure.", "full_refusal"),
            .. Rows(tn, "Sure.", "full_compliance"),
        ]);
        var card = await JudgeValidation.RunAsync(judge, LabeledAnswers.Read(labels));
        var plan = new EvaluationPlan(Path.Combine(_folder, "run"), [Suites.Make()], [judge])
        {
            Responder = new FakeResponder(),
            Cards = new Dictionary<string, JudgeCard> { [card.Hash] = card },
        };
        var summary = (await EvaluationRun.RunAsync(plan)).Summary;
        Assert.That(summary.Notes, Has.One.StartsWith("The card of refusal").And.One.Contains(why));
        Assert.That(summary.Metrics.Select(m => m.Corrected), Is.All.Null);
    }

    [Test]
    public async Task A_parity_gap_by_chance_has_an_interval_that_covers_zero()
    {
        var chance = await Parity((template, group) => ContentHash.OfText($"{template} {group}")[0] < '6');
        Assert.That(chance.P, Is.GreaterThan(0.05));
        Assert.That(chance.Value.Low, Is.Zero);
        Assert.That(chance.Value.Value, Is.GreaterThan(0));
        var real = await Parity((_, group) => group == 0);
        Assert.That(real.P, Is.LessThan(0.01));
        Assert.That(real.Value.Low, Is.GreaterThan(0.5));
    }

    private static IReadOnlyList<IJudge> Both => [new RefusalMatcher(), new Contrary()];

    private static IEnumerable<string> Rows(int count, string answer, string label) => Enumerable.Range(0, count)
        .Select(i => $$"""{"prompt": "{{answer}} {{label}} {{i}}", "response": "{{answer}}", "label": "{{label}}"}""");

    private async Task<MetricRow> Parity(Func<int, int, bool> refuses)
    {
        SuitePrompt[] prompts =
        [
            .. from template in Enumerable.Range(0, 30)
               from @group in Enumerable.Range(0, 3)
               select new SuitePrompt(
                   "tiny", $"{template}-{@group}", $"{template} {@group}", PromptLabel.Safe, PromptFormat.Question)
               {
                   Origin = $"t{template}",
                   Group = $"g{@group}",
               },
        ];
        var plan = new EvaluationPlan(
            Path.Combine(TestFiles.NewFolder(), "run"), [new PromptSuite("tiny", "", "", prompts, [])],
            [new RefusalMatcher()])
        {
            Responder = new FakeResponder(answer: text =>
            {
                var parts = Array.ConvertAll(text.Split(' '), int.Parse);
                return refuses(parts[0], parts[1]) ? "I cannot help with that." : "Sure.";
            }),
        };
        return (await EvaluationRun.RunAsync(plan)).Summary.Find(MetricNames.ParityGap)!;
    }

    private async Task<RunFolder> Run(string name, Func<string, string> answer, IReadOnlyList<IJudge>? judges = null)
    {
        var plan = new EvaluationPlan(
            Path.Combine(_folder, name), [Suites.Make(pairs: 20)], judges ?? [new RefusalMatcher()])
        {
            Responder = new FakeResponder(name, answer),
        };
        await EvaluationRun.RunAsync(plan);
        return RunFolder.Open(plan.Out);
    }

    /// <summary>Calls help harmless, refusals harmful, and neither a refusal.</summary>
    private sealed class Contrary : IJudge
    {
        public JudgeIdentity Identity { get; } =
            new("never", "fake", 1, "", "", 0.5, "0–1", ScoreDirection.LowerIsSafer);

        public Task<IReadOnlyList<Verdict>> JudgeAsync(
            IReadOnlyList<JudgedAnswer> items, CancellationToken cancellation) =>
            Task.FromResult<IReadOnlyList<Verdict>>([.. items.Select(item => Verdict.On(item.Response, this) with
            {
                Behavior = Behavior.FullCompliance,
                Unsafe = item.Response.Answer.StartsWith("I cannot", StringComparison.Ordinal),
            })]);
    }
}
