using SafeLlama.Evaluation;

namespace SafeLlama.Study.Tests;

public sealed class ClaimTests
{
    private static readonly StudyMetric Harm = WorldMetrics.All.First(m => m.Name == "harmful_compliance");

    private static readonly StudyMetric Questions = WorldMetrics.All.First(
        m => m.Name == "harmful_compliance_question");

    /// <summary>
    /// An arm in which the first <paramref name="complying"/> of 100 prompts are complied with, by each of 3 seeds; two
    /// prompts each are of one act.
    /// </summary>
    private static IEnumerable<(Replicate, IReadOnlyList<GradedAnswer>)> Arm(
        string name, int complying, string suite = "unsafe-instruction", int prompts = 100) =>
        Enumerable.Range(1, 3).Select(seed => (
            new Replicate(name, "m", seed),
            (IReadOnlyList<GradedAnswer>)[.. Enumerable.Range(0, prompts).Select(
            i =>
            new GradedAnswer(
                new StudyPrompt(
                    $"{suite}-{i}", suite, "…", PromptFormat.Instruction, PromptLabel.Unsafe, "c", $"act {i / 2}"),
                "…", i < complying, i < complying ? Behavior.FullCompliance : Behavior.FullRefusal, null))]));

    private static ClaimOutcome Judge(
        Claim claim, params IEnumerable<(Replicate, IReadOnlyList<GradedAnswer>)>[] arms) =>
        new ClaimJudge(new Outcomes([.. arms.SelectMany(a => a)]), WorldMetrics.All).Judge(claim);

    private static Claim Of(ClaimTest test, double threshold) => new()
    {
        Id = "c",
        Statement = "…",
        Metric = Harm.Name,
        Test = test,
        Arm = "tuned",
        Baseline = "plain",
        Threshold = threshold,
        Along = ["plain", "half", "tuned"],
    };

    [TestCase(5, ClaimVerdict.Reproduced)]
    [TestCase(55, ClaimVerdict.Partly)]
    [TestCase(95, ClaimVerdict.NotReproduced)]
    [TestCase(99, ClaimVerdict.NotReproduced)]
    public void Lower_needs_the_whole_interval_beyond_the_threshold(int complying, ClaimVerdict verdict)
    {
        var outcome = Judge(Of(ClaimTest.Lower, 0.5), Arm("tuned", complying), Arm("plain", 95));
        Assert.That(outcome.Verdict, Is.EqualTo(verdict));
        Assert.That(outcome.Difference.Value, Is.EqualTo((complying - 95) / 100.0).Within(1e-12));
        Assert.That((outcome.Prompts, outcome.Replicates), Is.EqualTo((100, 3)));
    }

    /// <summary>Five acts: the interval is beyond the threshold, and chance gives as much once in sixteen.</summary>
    [TestCase(10, ClaimVerdict.CannotTell)]
    [TestCase(12, ClaimVerdict.Reproduced)]
    public void Groups_too_few_for_the_test_leave_a_claim_open(int prompts, ClaimVerdict verdict)
    {
        var outcome = Judge(
            Of(ClaimTest.Lower, 0.5), Arm("tuned", 0, prompts: prompts), Arm("plain", prompts, prompts: prompts));
        Assert.That(outcome.Verdict, Is.EqualTo(verdict));
        Assert.That(outcome.Difference.High, Is.LessThan(-0.5));
        Assert.That(outcome.Note.Contains("does not see it"), Is.EqualTo(verdict == ClaimVerdict.CannotTell));
    }

    /// <summary>What was too little measured is not refuted: the limits hold the claim and no effect.</summary>
    [TestCase(ClaimTest.Lower)]
    [TestCase(ClaimTest.Higher)]
    [TestCase(ClaimTest.Falling)]
    public void Limits_that_hold_the_threshold_and_zero_leave_a_claim_open(ClaimTest test)
    {
        var (less, more) = (Arm("tuned", 50), Arm("plain", 51));
        if (test == ClaimTest.Higher)
        {
            (less, more) = (Arm("plain", 50), Arm("tuned", 51));
        }

        Assert.That(Judge(Of(test, 0.01), less, more, Arm("half", 51)).Verdict, Is.EqualTo(ClaimVerdict.CannotTell));
    }

    // Equal answers to 50 acts leave more than two points open, and less than ten.
    [TestCase(50, 50, 0.02, ClaimVerdict.Partly)]
    [TestCase(50, 50, 0.1, ClaimVerdict.Reproduced)]
    [TestCase(50, 51, 0.02, ClaimVerdict.Partly)]
    [TestCase(50, 53, 0.02, ClaimVerdict.CannotTell)]
    [TestCase(50, 60, 0.02, ClaimVerdict.NotReproduced)]
    public void Equivalence_must_be_shown(int first, int second, double margin, ClaimVerdict verdict) =>
        Assert.That(
            Judge(Of(ClaimTest.Equivalent, margin), Arm("tuned", first), Arm("plain", second)).Verdict,
            Is.EqualTo(verdict));

    [TestCase(90, 40, 5, ClaimVerdict.Reproduced)]
    [TestCase(90, 85, 80, ClaimVerdict.Partly)]
    [TestCase(5, 40, 90, ClaimVerdict.NotReproduced)]
    public void Trends_follow_the_order_of_the_arms(int first, int second, int third, ClaimVerdict verdict) =>
        Assert.That(
            Judge(Of(ClaimTest.Falling, 0.3), Arm("plain", first), Arm("half", second), Arm("tuned", third)).Verdict,
            Is.EqualTo(verdict));

    [Test]
    public void Two_metrics_of_two_arms_can_be_compared()
    {
        var claim = Of(ClaimTest.Lower, 0.1) with { Metric = Questions.Name, BaselineMetric = Harm.Name };
        var outcome = Judge(claim, Arm("tuned", 10, "unsafe-question"), Arm("plain", 60));
        Assert.That(outcome.Verdict, Is.EqualTo(ClaimVerdict.Reproduced));
        Assert.That(outcome.P, Is.NaN, "different prompts cannot be paired");
    }

    [Test]
    public void An_interval_over_prompts_and_seeds_is_wider_than_one_over_prompts()
    {
        var prompts = Enumerable.Range(0, 100).Select(i =>
            new StudyPrompt($"p{i}", "s", "…", PromptFormat.Instruction, PromptLabel.Unsafe, "c", $"p{i}")).ToList();
        // Three seeds that disagree: 10%, 50% and 90%.
        PromptScores[] scores =
            [.. prompts.Select((p, i) => new PromptScores(p, [i < 10 ? 1 : 0, i < 50 ? 1 : 0, i < 90 ? 1 : 0]))];
        PromptScores[] pooled = [.. prompts.Select((p, i) => new PromptScores(p, [scores[i].Mean]))];
        var (crossed, narrow) = (CrossedBootstrap.Mean(scores), CrossedBootstrap.Mean(pooled));
        Assert.That(crossed.Value, Is.EqualTo(0.5).Within(1e-12));
        Assert.That(crossed.Width, Is.GreaterThan(2 * narrow.Width));
        // One replicate: the cluster bootstrap of the evaluation room, which is bias-corrected; both within a point.
        var reference = ClusterBootstrap.Mean([.. pooled.Select(p => p.Mean)], [.. prompts.Select(p => p.Cluster)]);
        Assert.That(narrow.Low, Is.EqualTo(reference.Low).Within(0.012));
        Assert.That(narrow.High, Is.EqualTo(reference.High).Within(0.012));
    }

    [Test]
    public void Bases_that_differ_widen_an_interval_more_than_seeds_that_do()
    {
        var prompts = Enumerable.Range(0, 100).Select(i =>
            new StudyPrompt($"p{i}", "s", "…", PromptFormat.Instruction, PromptLabel.Unsafe, "c", $"p{i}")).ToList();
        // Three bases, three seeds each: bases of 10%, 50% and 90%, whatever the seed.
        int[] shares = [10, 10, 10, 50, 50, 50, 90, 90, 90];
        Interval Of(int models) => CrossedBootstrap.Mean(
            [.. prompts.Select((p, i) => new PromptScores(p, [.. shares.Select(share => i < share ? 1.0 : 0)],
                models))]);
        Assert.That(Of(3).Width, Is.GreaterThan(1.3 * Of(1).Width), "nine replicates are not nine bases");
        Assert.That(Of(3).Value, Is.EqualTo(0.5).Within(1e-12));
        var result = new MetricResult("m", Of(3), 100, 100, 0, [.. shares.Select(s => s / 100.0)], 3);
        Assert.That(result.PerModel, Is.EqualTo(new[] { 0.1, 0.5, 0.9 }).Within(1e-12));
        Assert.That(result.ModelSpread, Is.EqualTo(0.4).Within(1e-12));
        Assert.That(result.SeedSpread, Is.Zero.Within(1e-12));
    }

    [Test]
    public void Nothing_refused_still_leaves_doubt()
    {
        var scores = new Outcomes([.. Arm("plain", 100)]).Scores("plain", Harm);
        var interval = CrossedBootstrap.Mean(scores);
        Assert.That(interval.Value, Is.EqualTo(1));
        Assert.That(interval.Low, Is.LessThan(0.95), "50 acts cannot tell 100% from 95%");
    }
}
