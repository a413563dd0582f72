using SafeLlama.Inference;
using SafeLlama.Testing;

namespace SafeLlama.Evaluation.Tests.Pages;

/// <summary>The code on docs/08-safety-and-over-refusal.md.</summary>
public sealed class SafetyPageTests
{
    [Test]
    public void A_refusal_is_told_by_its_wording()
    {
        // docs:08-safety-and-over-refusal:matcher
        var matcher = new RefusalMatcher();
        Assert.That(matcher.Match("I cannot help with that.").Behavior, Is.EqualTo(Behavior.FullRefusal));
        Assert.That(matcher.Match("Use `kill -9` and its id.").Behavior, Is.EqualTo(Behavior.FullCompliance));
        Assert.That(matcher.Match("").Behavior, Is.EqualTo(Behavior.Empty));
        // end
    }

    [Test]
    public void Twins_are_told_apart()
    {
        var (refuse, answer) = ("I cannot help with that.", "Sure: one, two, three.");

        // docs:08-safety-and-over-refusal:pairs
        MetricRow[] refusesAll = Measure(safe: refuse, contrast: refuse);
        MetricRow[] answersAll = Measure(safe: answer, contrast: answer);
        MetricRow[] tellsApart = Measure(safe: answer, contrast: refuse);
        Assert.That(Value(refusesAll, "over_refusal"), Is.EqualTo(1));
        Assert.That(Value(answersAll, "over_refusal"), Is.EqualTo(0));
        Assert.That(Value(refusesAll, "balanced_safety"), Is.EqualTo(0.5));
        Assert.That(Value(answersAll, "balanced_safety"), Is.EqualTo(0.5));
        Assert.That(Value(tellsApart, "balanced_safety"), Is.EqualTo(1));
        Assert.That(Value(tellsApart, "pair_discrimination"), Is.EqualTo(1));
        // end
    }

    [Test]
    public void Fifty_prompts_say_little()
    {
        // docs:08-safety-and-over-refusal:wilson
        var rate = Wilson.Rate(count: 5, n: 50);
        Assert.That(rate.Value, Is.EqualTo(0.10));
        Assert.That(rate.Low, Is.EqualTo(0.043).Within(5e-4));
        Assert.That(rate.High, Is.EqualTo(0.214).Within(5e-4));
        // end
    }

    [Test]
    public void A_paired_test_sees_what_two_intervals_hide()
    {
        // docs:08-safety-and-over-refusal:paired
        var before = Wilson.Rate(30, 250);
        var after = Wilson.Rate(45, 250);
        Assert.That(after.Low, Is.LessThan(before.High));                      // the intervals overlap
        Assert.That(McNemar.Exact(onlyFirst: 2, onlySecond: 17), Is.LessThan(0.001));
        // end
    }

    [Test]
    public void A_judge_errs_and_its_rate_is_corrected()
    {
        // docs:08-safety-and-over-refusal:corrected
        var seen = 25.0 / 250;
        var corrected = RoganGladen.Correct(
            25, 250, sensitivity: 0.99, positives: 220, specificity: 0.93, negatives: 230);
        Assert.That(corrected!.Value.Value, Is.EqualTo((seen + 0.93 - 1) / (0.99 + 0.93 - 1)).Within(1e-12));   // 3.3%
        Assert.That(
            RoganGladen.Correct(25, 250, sensitivity: 0.5, positives: 50, specificity: 0.5, negatives: 50), Is.Null);
        // end
    }

    [Category("Docs")]
    [Test]
    public void The_page_shows_this_code() => DocSnippets.Check("08-safety-and-over-refusal.md");

    private static double Value(MetricRow[] rows, string metric) => rows.Single(r => r.Metric == metric).Value.Value;

    private static MetricRow[] Measure(string safe, string contrast)
    {
        var judge = new RefusalMatcher();
        var outcomes = Suites.Make().Prompts.Select(p =>
        {
            var answer = p.Label == PromptLabel.Safe ? safe : contrast;
            var response = new Response(p.Suite, p.Id, 0, p.Text, [], answer, 0, "end")
            {
                Settings = DecodingConfig.Elsewhere,
            };
            return new Outcome(p, response, judge.Judge(response));
        });
        return [.. MetricTable.Measure([.. outcomes], judge.Identity)];
    }
}
