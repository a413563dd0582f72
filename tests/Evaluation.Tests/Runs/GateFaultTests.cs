using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Evaluation.Tests;

/// <summary>A gate is kept only by numbers that cannot turn out otherwise.</summary>
public sealed class GateFaultTests
{
    private static readonly JudgeIdentity Refusal = new RefusalMatcher().Identity;
    private static readonly SuitePrompt Tiny =
        new("tiny", "1", "Which tea?", PromptLabel.Safe, PromptFormat.Question);

    private static readonly JudgeIdentity Score = new FakeScoreJudge().Identity;

    [Test]
    public void A_second_judge_of_one_name_makes_a_gate_an_error_that_names_both()
    {
        MetricRow[] rows = [Row(0.1, 10), Row(0.9, 10) with { JudgeHash = "new" }];
        Refused(() => GateExpression.Parse("over_refusal>0.5").Check(rows), "over_refusal@h", "over_refusal@new");
        Assert.That(GateExpression.Parse("over_refusal@new>0.5").Check(rows).Missed);
        Assert.That(GateExpression.Parse("over_refusal@h>0.5").Check(rows).Missed, Is.False);
        var other = Score with { Threshold = 0.7 };
        Refused(
            () => GateExpression.Parse("harmfulness_score>0.5").RequireFit([Tiny], [], [Score, other]), Score.Hash,
            other.Hash);
    }

    [TestCase(">", "no metric stands before it")]
    [TestCase("over_refusal", "there is no < or >")]
    public void What_is_no_condition_says_what_it_lacks(string text, string reason) =>
        Refused(() => GateExpression.Parse(text), reason);

    [Test]
    public void Without_a_judge_named_every_judge_must_keep_the_gate()
    {
        MetricRow[] rows = [Row(0.1, 10), Row(0.9, 10) with { Judge = "xstest", JudgeHash = "x" }];
        var found = GateExpression.Parse("over_refusal>0.5").Check(rows);
        Assert.That(found.Missed);
        Assert.That(found.Line, Does.Contain("by xstest"));
        Assert.That(GateExpression.Parse("over_refusal@refusal>0.5").Check(rows).Missed, Is.False);
        Assert.That(GateExpression.Parse("over_refusal>0.95").Check(rows).Missed, Is.False);
    }

    [TestCase("over_refusal.n<50", true)]
    [TestCase("over_refusal.n<1", false)]
    [TestCase("over_refusal.invalid_share>5%", true)]
    [TestCase("over_refusal.unscored_share>0", false)]
    public void Counts_and_shares_can_be_gated(string gate, bool missed) =>
        Assert.That(
            GateExpression.Parse(gate).Check([Row(0, 1) with { Count = 0, Invalid = 99 }]).Missed, Is.EqualTo(missed));

    [TestCase("over_refusal>0.10", 0, 99, 0, true, TestName = "One valid answer of a hundred keeps no gate")]
    [TestCase("over_refusal>0.50", 5, 40, 0, false, TestName = "Too few invalid answers to flip a gate keep it")]
    [TestCase("over_refusal>0.50", 5, 0, 60, true, TestName = "Unscored answers flip a gate as invalid ones do")]
    [TestCase("over_refusal<0.02", 5, 40, 0, false, TestName = "A gate from below is flipped from below alone")]
    [TestCase("over_refusal<0.05", 5, 60, 0, true, TestName = "A gate from below is flipped by answers counted as no")]
    public void Answers_left_out_may_flip_a_gate(string gate, int count, int invalid, int unscored, bool flips)
    {
        var row = Row(count / 50.0, 50) with { Count = count, Invalid = invalid, Unscored = unscored };
        var found = GateExpression.Parse(gate).Check([row]);
        Assert.That((found.Missed, found.CouldFlip), Is.EqualTo((flips, flips)));
        Assert.That(GateExpression.Parse(gate).Check([row], allowUnscored: true).Missed, Is.False);
        if (flips)
        {
            Assert.That(found.Line, Does.Contain($"{invalid} invalid and {unscored} unscored answers could flip it"));
        }
    }

    [Test]
    public void A_mean_score_is_flipped_within_its_range()
    {
        var row = Row(0.2, 90) with
        {
            Metric = MetricNames.HarmfulnessScore,
            Count = null,
            Unscored = 10,
            Direction = "0–1; lower is safer",
        };
        Assert.That(GateExpression.Parse("harmfulness_score>0.25").Check([row]).CouldFlip, "0.28 at most");
        Assert.That(GateExpression.Parse("harmfulness_score>0.30").Check([row]).Missed, Is.False);
        var open = row with { Direction = "unbounded; higher is better" };
        Assert.That(GateExpression.Parse("harmfulness_score>100").Check([open]).CouldFlip, "nothing bounds it");
    }

    [Test]
    public async Task All_answers_invalid_misses_a_gate_rather_than_the_metric()
    {
        var folder = Path.Combine(TestFiles.NewFolder(), "run");
        var plan = new EvaluationPlan(folder, [Suites.Make()], [new RefusalMatcher()])
        {
            Responder = new FakeResponder(answer: _ => ""),
        };
        var summary = (await EvaluationRun.RunAsync(plan)).Summary;
        var found = GateExpression.Parse("over_refusal>0.99").Check(summary.Metrics);
        Assert.That(found.Missed);
        Assert.That(found.Line, Does.Contain("n 0"));
    }

    [TestCase("over_refusals>0.1", "is no metric; did you mean 'over_refusal'? Metrics are ")]
    [TestCase("safe_refusal>0.1", "is no metric; did you mean 'over_refusal'?")]
    [TestCase("refusal>0.1", "is no metric; did you mean 'benign_refusal'?")]
    [TestCase("full compliance>0.1", "is no metric; did you mean 'unsafe_full_compliance'?")]
    [TestCase("helpfulness>0.1", "is no metric. Metrics are ")]
    [TestCase("over_refusal>10", "outside 0 to 1")]
    [TestCase("over_refusal>-0.1", "outside 0 to 1")]
    [TestCase("over_refusal>NaN", "is no number")]
    [TestCase("over_refusal.invalid_share>2", "outside 0 to 1")]
    [TestCase("over_refusal.n<-1", "outside 0")]
    [TestCase("over_refusal.7>0.1", "names no metric")]
    [TestCase("perplexity<0.5", "outside 1")]
    [TestCase("acc<90", "outside 0 to 1")]
    [TestCase("toxic_refusal<0", "never holds")]
    [TestCase("toxic_refusal<1e-400", "never holds")]
    [TestCase("over_refusal>1", "never holds")]
    [TestCase("over_refusal>100%", "never holds")]
    [TestCase("over_refusal.n<0", "never holds")]
    [TestCase("over_refusal>=0", "always holds")]
    [TestCase("over_refusal<=1", "always holds")]
    [TestCase("over_refusal.n<50%", "a percentage")]
    [TestCase("perplexity>150%", "a percentage")]
    public void A_gate_that_decides_nothing_is_refused_before_any_work(string gate, string why) =>
        Refused(() => GateExpression.Parse(gate), why);

    [TestCase("harmfulness_score>0.1", "no judge of the run gives harmfulness_score")]
    [TestCase("over_refusal@guard>0.1", "is called \"guard\"")]
    [TestCase("xstest/over_refusal>0.1", "no suite or task \"xstest\"")]
    [TestCase("acc<0.5", "nothing that gives acc is asked")]
    [TestCase("perplexity>20", "nothing that gives perplexity is asked")]
    [TestCase("toxic_refusal<0.9", "about none of the prompts; their labels are safe")]
    [TestCase("benign_refusal>0.1", "about none of the prompts; their labels are safe")]
    [TestCase("unsafe_full_compliance>0.1", "about none of the prompts; their labels are safe")]
    [TestCase("pair_discrimination<0.9", "about none of the prompts; their labels are safe, without twins")]
    public void A_gate_that_the_run_cannot_decide_is_refused_before_any_work(string gate, string why) =>
        Refused(() => GateExpression.Parse(gate).RequireFit([Tiny], [], [Refusal]), why);

    [Test]
    public void A_name_that_once_counted_benign_prompts_is_told()
    {
        var gate = GateExpression.Parse("over_refusal>0.1");
        var benign = Tiny with { Id = "2", Label = PromptLabel.Benign };
        Assert.That(gate.Notice([Tiny]), Is.Null, "the number is what it was");
        Assert.That(gate.Notice([Tiny, benign]), Does.Contain("of safe prompts alone").And.Contain("benign_refusal"));
        Assert.That(GateExpression.Parse("benign_refusal>0.1").Notice([Tiny, benign]), Is.Null);
        Assert.That(GateExpression.Parse("other/over_refusal>0.1").Notice([Tiny, benign]), Is.Null);
        Refused(() => gate.RequireFit([benign], [], [Refusal]), "about none of the prompts", "benign_refusal");
    }

    [TestCase("over_refusal>0.55", false)]
    [TestCase("over_refusal>0.35", true)]
    public void Prompts_without_an_answer_may_flip_a_gate(string gate, bool missed)
    {
        MetricRow row = Row(0, 6) with { Count = 0 };
        SuitePrompt[] unanswered = [.. Enumerable.Range(0, 4).Select(i => Tiny with { Id = $"left-out-{i}" }),
            Tiny with { Id = "of another suite", Suite = "other" }, Tiny with { Label = PromptLabel.Unsafe }];
        var found = GateExpression.Parse(gate).Check([row], unanswered: unanswered);
        Assert.That((found.Missed, found.CouldFlip), Is.EqualTo((missed, missed)), found.Line);
        Assert.That(found.Line.Contains("4 prompts without an answer", StringComparison.Ordinal), Is.EqualTo(missed));
        Assert.That(
            GateExpression.Parse(gate).Check([row], allowUnscored: true, unanswered).Missed, Is.False);
    }

    [Test]
    public void What_a_model_can_do_is_gated_like_any_other_metric()
    {
        var rows = CapabilityRows.Of(
            [new MultipleChoice.Result("piqa", Wilson.Rate(60, 100), Wilson.Rate(70, 100), 100, 0)],
            new Perplexity(new Interval(12, 10, 14), 1, 100, 5));
        Assert.That(GateExpression.Parse("acc<0.9").Check(rows).Missed);
        Assert.That(GateExpression.Parse("piqa/acc_norm<0.65").Check(rows).Missed, Is.False);
        Assert.That(GateExpression.Parse("perplexity.high>13").Check(rows).Missed);
    }

    [Test]
    public void A_suite_called_all_is_refused()
    {
        var plan = new EvaluationPlan(
            Path.Combine(TestFiles.NewFolder(), "run"), [Suites.Make("all")], [new RefusalMatcher()])
        {
            Responder = new FakeResponder(),
        };
        Assert.That(
            async () => await EvaluationRun.RunAsync(plan),
            Throws.InstanceOf<SafeLlamaException>().With.Message.Contains("called \"all\""));
    }

    [Test]
    public async Task A_folder_that_another_process_writes_into_is_left_as_it_is()
    {
        var folder = Path.Combine(TestFiles.NewFolder(), "run");
        var plan = new EvaluationPlan(folder, [Suites.Make()], [new RefusalMatcher()])
        {
            Responder = new FakeResponder(),
        };
        await EvaluationRun.RunAsync(plan);
        var before = Directory.GetFiles(folder).ToDictionary(f => f, File.ReadAllText);
        using (OutputFolder.Claim(folder, resume: true))
        {
            foreach (var resume in (bool[])[true, false])
            {
                var other = plan with { Responder = new FakeResponder("other"), Resume = resume };
                Assert.That(
                    async () => await EvaluationRun.RunAsync(other), Throws.InstanceOf<SafeLlamaException>());
            }
        }

        Assert.That(Directory.GetFiles(folder).ToDictionary(f => f, File.ReadAllText), Is.EqualTo(before));
    }

    private static void Refused(Action act, params string[] parts)
    {
        var error = Assert.Throws<SafeLlamaException>(() => act())!;
        Assert.That(error.Code, Is.EqualTo(ExitCode.Usage));
        foreach (var part in parts)
        {
            Assert.That(error.Message, Does.Contain(part));
        }
    }

    private static MetricRow Row(double value, int n) => new("tiny", MetricNames.OverRefusal, "refusal", "h")
    {
        Value = new(value, value / 2, Math.Min(1, value * 2)),
        Method = "Wilson",
        N = n,
        Count = (int)(value * n),
        Invalid = 0,
        Unscored = 0,
        Direction = "0–1; lower is better",
    };
}
