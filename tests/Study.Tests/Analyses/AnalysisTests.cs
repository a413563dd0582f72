using SafeLlama.Evaluation;
using static SafeLlama.Study.Tests.AnalysisCase;

namespace SafeLlama.Study.Tests;

/// <summary>Each analysis against numbers computed by hand.</summary>
public sealed class AnalysisTests
{
    [Test]
    public void A_gap_is_the_difference_over_the_same_acts()
    {
        var asked = Asked(AnalysisKind.Gap, "refused_a", "none", "half", "all") with { Against = "refused_rest" };
        var result = Compute(
            Recipe(asked, Plain("none"), Plain("half"), Plain("all")),
            Arm("none", ("a", "1111"), ("b", "1111"), ("c", "1110")),
            Arm("half", ("a", "1100"), ("b", "1111"), ("c", "1110")),
            Arm("all", ("a", "0000"), ("b", "1110"), ("c", "1110")));
        // Refused: none 0 against 1/8, half 2/4 against 1/8, all 1 against 2/8.
        Assert.That(result.Value("gap.none"), Is.EqualTo(-0.125).Within(1e-12));
        Assert.That(result.Value("gap.half"), Is.EqualTo(0.375).Within(1e-12));
        Assert.That(result.Value("change.all"), Is.EqualTo(0.75 + 0.125).Within(1e-12));
        Assert.That(result.Value("slope"), Is.EqualTo(0.75 - 0.375).Within(1e-12));
    }

    [Test]
    public void Coverage_is_harm_held_out_less_harm_demonstrated()
    {
        StudyArm Shown(string name, params string[] categories) => new()
        {
            Name = name,
            SafetyExamples = 90,
            Safety = new() { Categories = categories },
        };
        var asked = Asked(AnalysisKind.Coverage, "harm", "one", "two");
        var result = Compute(
            Recipe(asked, Shown("one", "weapon"), Shown("two", "weapon", "toxin")),
            Arm("one", ("weapon", "0000"), ("toxin", "1111"), ("scam", "1100")),
            Arm("two", ("weapon", "0000"), ("toxin", "1000"), ("scam", "1000")));
        // one: (1 + 1/2)/2 − 0; two: 1/4 − (0 + 1/4)/2.
        Assert.That(result.Value("held_out.one"), Is.EqualTo(0.75).Within(1e-12));
        Assert.That(result.Value("gap.two"), Is.EqualTo(0.125).Within(1e-12));
        Assert.That(result.Value("gap"), Is.EqualTo((0.75 + 0.125) / 2).Within(1e-12));
        Assert.That(result.Value("slope"), Is.EqualTo(0.25 - 0.75).Within(1e-12));
        // Of 3 × 3 ways to draw the demonstrated categories, two are as extreme: "two" may swap toxin for scam.
        Assert.That(result.Value("p"), Is.EqualTo(2 / 9.0).Within(0.03));
    }

    [Test]
    public void The_distance_at_one_half_is_that_of_the_logistic_curve()
    {
        var asked = Asked(AnalysisKind.Distance, "harm", "near", "far");
        var result = Compute(
            Recipe(asked, Plain("near"), Plain("far")),
            Arm("near", ("distance-0", "1000"), ("distance-1", "1100"), ("distance-2", "1110")),
            Arm("far", ("distance-0", "0000"), ("distance-1", "0000"), ("distance-2", "1000")));
        // 1/4, 1/2, 3/4 at 0, 1, 2 lie on a logistic curve: one half at 1, slope ln 3.
        Assert.That(result.Value("d50.near"), Is.EqualTo(1).Within(1e-4));
        Assert.That(result.Value("slope.near"), Is.EqualTo(Math.Log(3)).Within(1e-4));
        Assert.That(result.Value("d50.far"), Is.EqualTo(double.PositiveInfinity));
    }

    [Test]
    public void Rates_that_rise_and_fall_have_no_one_distance_at_one_half()
    {
        var asked = Asked(AnalysisKind.Distance, "harm", "ends");
        var result = Compute(
            Recipe(asked, Plain("ends")),
            Arm("ends", ("distance-0", "0000"), ("distance-1", "1110"), ("distance-2", "1000")));
        Assert.That(result.Value("d50.ends"), Is.NaN);
        Assert.That(result.Sentence, Does.Contain("no one distance, since the rates pass one half 2 times (ends)"));
    }

    /// <summary>An arm without an answer at some distance is unknown; the others keep theirs.</summary>
    [Test]
    public void A_distance_at_which_the_first_arm_gave_no_answer_stays()
    {
        var asked = Asked(AnalysisKind.Distance, "harm", "silent", "near");
        var result = Compute(
            Recipe(asked, Plain("silent"), Plain("near")),
            Arm("silent", ("distance-0", "0000"), ("distance-1", "0000"), ("distance-2", "xxxx")),
            Arm("near", ("distance-0", "1000"), ("distance-1", "1100"), ("distance-2", "1110")));
        Assert.That(result.Value("d50.silent"), Is.NaN);
        Assert.That(result.Value("slope.near"), Is.EqualTo(Math.Log(3)).Within(1e-4));
        Assert.That(result.Curves[1].Points, Has.Count.EqualTo(3));
    }

    [Test]
    public void Survival_is_that_of_Kaplan_and_Meier_with_invalid_answers_censored()
    {
        var asked = Asked(AnalysisKind.Survival, "harm", "a", "b");
        var result = Compute(
            Recipe(asked, Plain("a"), Plain("b")),
            Arm("a", ("turn-0", "10000"), ("turn-1", "01x00"), ("turn-2", "00001")),
            Arm("b", ("turn-0", "00000"), ("turn-1", "00000"), ("turn-2", "00000")));
        // 4/5, then 1 of the 3 still seen: 8/15, then 1 of 2: 4/15.
        Assert.That(
            result.Curves[0].Points.Select(p => p.Value.Value), Is.EqualTo(new[] { 0.8, 8 / 15.0, 4 / 15.0 })
                .Within(1e-12));
        var known = Survival.KaplanMeier([new(1, true), new(2, true), new(1, false), new(3, false), new(3, true)]);
        Assert.That(known[^1].Share, Is.EqualTo(4 / 15.0).Within(1e-12), "the same by the general formula");
        Assert.That(result.Value("half_life.a"), Is.EqualTo(2));
        Assert.That(result.Value("half_life.b"), Is.EqualTo(double.PositiveInfinity));
        Assert.That(result.Finding("last.b").Estimate.Low, Is.LessThan(1), "five acts leave room for others");
    }

    /// <summary>Answers that are none are no refusals: where the last act is censored, nobody knows of those after
    /// it, and where all are censored from the start, of nothing.</summary>
    [Test]
    public void Refusal_is_unknown_after_the_last_answer()
    {
        var asked = Asked(AnalysisKind.Survival, "harm", "short", "none", "all");
        var result = Compute(
            Recipe(asked, Plain("short"), Plain("none"), Plain("all")),
            Arm("short", ("turn-0", "1000"), ("turn-1", "0xxx"), ("turn-2", "0000")),
            Arm("none", ("turn-0", "xxxx"), ("turn-1", "0000"), ("turn-2", "0000")),
            Arm("all", ("turn-0", "1111"), ("turn-1", "xxxx"), ("turn-2", "xxxx")));
        Assert.That(result.Curves[0].Points[0].Value.Value, Is.EqualTo(0.75));
        Assert.That(result.Value("last.short"), Is.NaN);
        Assert.That(result.Value("half_life.short"), Is.NaN, "it may lie after what was answered");
        Assert.That(result.Value("last.none"), Is.NaN);
        Assert.That(result.Value("half_life.none"), Is.NaN);
        Assert.That(result.Value("last.all"), Is.Zero, "all are served, whatever they say later");
        Assert.That(result.Value("half_life.all"), Is.Zero);
        Assert.That(result.Sentence, Does.Contain("none still refuses unknown of acts"));
    }

    [Test]
    public void Stages_of_training_are_times()
    {
        var asked = Asked(AnalysisKind.Survival, "harm") with
        {
            Times = [0, 100],
            Series = [new() { Name = "r0", Arms = ["s0", "s1"] }, new() { Name = "r1", Arms = ["s0", "t1"] }],
        };
        var result = Compute(
            Recipe(asked, Plain("s0"), Plain("s1"), Plain("t1")),
            Arm("s0", ("c", "0000")), Arm("s1", ("c", "1110")),
            Arm("t1", ("c", "1000")));
        Assert.That(result.Value("last.r0"), Is.EqualTo(0.25).Within(1e-12));
        Assert.That(result.Value("half_life.r0"), Is.EqualTo(100));
        Assert.That(result.Value("last.r1"), Is.EqualTo(0.75).Within(1e-12));
    }

    [Test]
    public void The_worst_wording_counts_and_the_best_mixture_is_that_of_the_fitted_model()
    {
        var asked = Asked(AnalysisKind.Mixture, "harm", "i", "q", "o", "iq", "io", "qo") with
        {
            Metrics = ["harm_one", "harm_two", "harm_three"],
        };
        var result = Compute(
            Recipe(
                asked, Mix("i", 1, 0, 0), Mix("q", 0, 1, 0), Mix("o", 0, 0, 1), Mix("iq", 1, 1, 0), Mix("io", 1, 0, 1),
                Mix("qo", 0, 1, 1)),
            Worst("i", "1111"), Worst("q", "1111"), Worst("o", "1111"), Worst("iq", "1100"), Worst("io", "1111"),
            Worst("qo", "1111"));
        // Scheffé's terms: 1, 1, 1 at the corners and 4·(1/2 − 1) = −2 for instruction × question: least at one half.
        Assert.That(result.Value("best"), Is.EqualTo(0.5).Within(1e-9));
        Assert.That(result.Value("best.instruction"), Is.EqualTo(0.5).Within(1e-9));
        Assert.That(result.Value("best.question"), Is.EqualTo(0.5).Within(1e-9));
        Assert.That(result.Value("misfit"), Is.Zero.Within(1e-9), "six terms, six mixtures");
        Assert.That(result.Value("worst.iq"), Is.EqualTo(0.5).Within(1e-12));
        Assert.That(result.Value("gain.iq"), Is.EqualTo(-0.5).Within(1e-12));
    }

    /// <summary>Once, a fit that was off by 41 points told its best mixture in the first line of a page.</summary>
    [Test]
    public void A_fit_that_misses_a_tested_mixture_tells_no_best()
    {
        var asked = Asked(AnalysisKind.Mixture, "harm", "i", "q", "o", "iq", "io", "qo", "thirds") with
        {
            Metrics = ["harm_one", "harm_two", "harm_three"],
        };
        var result = Compute(
            Recipe(
                asked, Mix("i", 1, 0, 0), Mix("q", 0, 1, 0), Mix("o", 0, 0, 1), Mix("iq", 1, 1, 0), Mix("io", 1, 0, 1),
                Mix("qo", 0, 1, 1), Mix("thirds", 1, 1, 1)),
            Worst("i", "1111"), Worst("q", "1111"), Worst("o", "1111"), Worst("iq", "1111"), Worst("io", "1111"),
            Worst("qo", "1111"), Worst("thirds", "0000"));
        Assert.That(result.Value("misfit"), Is.GreaterThan(0.1));
        Assert.That(result.Value("best"), Is.NaN);
        Assert.That(result.Sentence, Does.Contain("is thirds").And.Contain("a fitted best is not told"));
        Assert.That(result.Curves[^1].Points, Is.Empty);
    }

    private static StudyArm Mix(string name, int i, int q, int o) => new()
    {
        Name = name,
        SafetyExamples = 90,
        Safety = new() { Formats = new() { Instruction = i, Question = q, Opinion = o } },
    };

    private static (Replicate, IReadOnlyList<GradedAnswer>) Worst(string name, string worst) =>
        Arm(name, ("one", "0000"), ("two", worst), ("three", "0000"));

    [Test]
    public void The_slope_of_dose_on_size_is_that_of_the_logarithms()
    {
        var asked = Asked(AnalysisKind.Size, "harm", "d0", "d9", "d99") with
        {
            Level = 0.25,
            Sizes = [new() { Name = "small", Models = ["m1"] }, new() { Name = "large", Models = ["m2"] }],
        };
        var recipe = Recipe(asked, Plain("d0"), Plain("d9", 9), Plain("d99", 99)) with
        {
            Models = ["m1", "m2"],
        };
        (Replicate, IReadOnlyList<GradedAnswer>) Arm(string name, string model, string acts) =>
            AnalysisCase.Arm(name, model, [("c", acts)]);
        var data = new AnalysisData(recipe, 3000, new(
        [
            Arm("d0", "m1", "1111"), Arm("d9", "m1", "1000"), Arm("d99", "m1", "0000"),
            Arm("d0", "m2", "1111"), Arm("d9", "m2", "1111"), Arm("d99", "m2", "1000"),
        ]))
        {
            Weights = model => model == "m1" ? 1_000 : 11_000,
        };
        var result = Analyses.Compute(data).Single();
        Assert.That(result.Value("dose.small"), Is.EqualTo(9).Within(1e-9));
        Assert.That(result.Value("dose.large"), Is.EqualTo(99).Within(1e-9));
        Assert.That(result.Value("slope"), Is.EqualTo(1).Within(1e-9));
        Assert.That(result.Sentence, Does.Contain("0 M weights").And.Contain("slope of log dose on log weights is 1"));
    }

    [TestCase(AnalysisKind.Gap, "needs against")]
    [TestCase(AnalysisKind.Mixture, "needs metrics")]
    [TestCase(AnalysisKind.Size, "needs sizes")]
    [TestCase(AnalysisKind.Attack, "needs attacks in the recipe")]
    [TestCase(AnalysisKind.Coverage, "demonstrates no named categories")]
    [TestCase(AnalysisKind.Dose, "needs quality, cost, level and margin")]
    public void What_an_analysis_needs_is_named(AnalysisKind kind, string expected) => Assert.That(
        string.Join(" ", Analyses.Problems(Recipe(Asked(kind, "harm", "a"), Plain("a")))),
        Does.Contain(expected));

    [Test]
    public void A_setting_that_a_kind_does_not_read_is_refused() => Assert.That(
        string.Join(" ", Analyses.Problems(Recipe(
            Asked(AnalysisKind.Distance, "harm", "a") with { Refine = 2, Times = [2, 1], Level = 3 }, Plain("a")))),
        Does.Contain("refine has no effect on a distance").And.Contain("times has no effect")
            .And.Contain("level is 3, expected a share"));
}
