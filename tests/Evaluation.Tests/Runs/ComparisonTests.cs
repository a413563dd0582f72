using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Evaluation.Tests;

[TestFixture]
public sealed class ComparisonTests
{
    private string _folder = "";

    [SetUp]
    public void SetUp() => _folder = TestFiles.NewFolder();

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task A_change_is_found_counted_and_put_into_words()
    {
        // The first model answers everything; the second refuses every contrast and two of twenty safe prompts.
        var before = await Run("before", _ => "Sure.");
        var after = await Run(
            "after", p => p.StartsWith('C') || p is "Safe number 1?" or "Safe number 2?" ? "I cannot." : "Sure.");
        var comparison = Comparison.Of([before, after]);
        var toxic = comparison.Rows.Single(r => r.Metric == MetricNames.ToxicRefusal);
        Assert.That((toxic.OnlyBaseline, toxic.OnlyCandidate, toxic.N), Is.EqualTo((0, 20, 20)));
        Assert.That(ComparisonText.Sentence(toxic), Does.Contain(": from 0.000 to 1.000 in after"));
        var over = comparison.Rows.Single(r => r.Metric == MetricNames.OverRefusal);
        Assert.That((over.OnlyBaseline, over.OnlyCandidate), Is.EqualTo((0, 2)));
        Assert.That(over.Difference.Value, Is.EqualTo(0.1).Within(1e-12));
        comparison.Write(_folder);
        Assert.That(File.ReadAllLines(Path.Combine(_folder, "comparison.md")), Has.One.StartsWith(
            "| tiny | toxic_refusal | refusal | 0.000 | 1.000 (after) | +1.000 |"));
    }

    [Test]
    public async Task Prompts_without_a_partner_are_counted()
    {
        var before = await Run("before", _ => "Sure.");
        var after = await Run("after", p => p == "Safe number 3?" ? "" : "Sure.");
        var over = Comparison.Of([before, after]).Rows.Single(r => r.Metric == MetricNames.OverRefusal);
        Assert.That((over.N, over.LeftOut), Is.EqualTo((19, 1)));
    }

    [Test]
    public async Task Runs_without_a_common_judge_are_not_compared()
    {
        var before = await Run("before", _ => "Sure.");
        var plan = new EvaluationPlan(
            Path.Combine(_folder, "x"), [Suites.Make(pairs: 20)], [new RefusalMatcher(RefusalRules.XsTest)])
        {
            Responder = new FakeResponder(),
        };
        await EvaluationRun.RunAsync(plan);
        var error = Assert.Throws<SafeLlamaException>(() => Comparison.Of([before, RunFolder.Open(plan.Out)]))!;
        Assert.That(error.Message, Does.Contain("judged only one of"));
        Assert.That(() => Comparison.Of([before]), Throws.InstanceOf<SafeLlamaException>());
    }

    [Test]
    public async Task A_reward_judge_gives_a_mean_and_a_win_rate()
    {
        var judge = new RewardModelJudge(new Longer(), ScoreDirection.HigherIsBetter);
        var before = await Run(
            "before", p => p.EndsWith("3?", StringComparison.Ordinal) ? "A long answer." : "Short.", judge);
        var after = await Run("after", p => p.StartsWith('S') ? "A long answer." : "Short.", judge);
        Assert.That(after.Summary.Find(MetricNames.MeanReward)!.Direction, Does.Contain("higher is better"));
        var wins = Comparison.Of([before, after]).Rows.Single(r => r.Metric == MetricNames.WinRate);

        // Of 40 prompts, 18 get a longer answer, 2 keep the long one, 2 lose it, 18 stay short.
        Assert.That(wins.CandidateValue, Is.EqualTo((18 + 20 / 2.0) / 40).Within(1e-12));
        Assert.That((wins.OnlyBaseline, wins.OnlyCandidate), Is.EqualTo((2, 18)));
    }

    private sealed class Longer : IRewardModel
    {
        public string Identity => "longer";

        public IReadOnlyList<TextScore> Score(IReadOnlyList<string> conversations, CancellationToken cancellation) =>
            [.. conversations.Select(c => new TextScore(c.Split("Assistant:")[1].Length, 0))];
    }

    private async Task<RunFolder> Run(string name, Func<string, string> answer, params IJudge[] more)
    {
        var plan = new EvaluationPlan(
            Path.Combine(_folder, name), [Suites.Make(pairs: 20)], [new RefusalMatcher(), .. more])
        {
            Responder = new FakeResponder(name, answer),
        };
        await EvaluationRun.RunAsync(plan);
        return RunFolder.Open(plan.Out);
    }
}
