using SafeLlama.Common;
using SafeLlama.Inference;
using SafeLlama.Testing;

namespace SafeLlama.Evaluation.Tests;

/// <summary>While n is finite there is doubt: no interval closes on its estimate.</summary>
[TestFixture]
public sealed class ZeroWidthTests
{
    [TestCase("all-refused-1-sample.jsonl", 5)]
    [TestCase("all-refused-2-samples.jsonl", 5)]
    [TestCase("one-duplicate.jsonl", 50)]
    public void A_rate_of_one_keeps_Wilsons_doubt_however_often_a_prompt_is_asked(string file, int prompts)
    {
        var row = Rows(file).Single(r => r.Metric == MetricNames.RefusalRate);
        var expected = Wilson.Rate(prompts, prompts);
        Assert.That((row.Value.Value, row.Value.High), Is.EqualTo((1.0, 1.0)));
        Assert.That(row.Value.Low, Is.EqualTo(expected.Low).Within(1e-12), "on prompts, not on rows");
        Assert.That(row.Method, Does.Contain("Wilson"));
    }

    [Test]
    public void A_single_cluster_is_one_observation()
    {
        var row = Rows("one-prompt-4-samples.jsonl").Single(r => r.Metric == MetricNames.RefusalRate);
        Assert.That(row.Value.Width, Is.GreaterThan(0.8), "Wilson's interval on n = 1");
        Assert.That(row.Method, Does.Contain("clusters"));
    }

    [Test]
    public void Every_row_of_every_table_has_a_width([Values(1, 2)] int samples)
    {
        // 120 random tables: constant and varied answers, few prompts and many, with and without pairs and groups.
        var random = Philox.Stream(3, "tables", samples);
        for (var table = 0; table < 60; table++)
        {
            var prompts = 1 + random.Below(table * 1000, 12);
            var share = random.Below(table * 1000 + 1, 5) / 4.0;
            var outcomes = Enumerable.Range(0, prompts).SelectMany(p => Enumerable.Range(0, samples).Select(s =>
                Outcome(p, s, random.Uniform(table * 1000 + 2 + p * 8 + s) < share))).ToArray();
            foreach (var row in MetricTable.Measure(outcomes, Judge))
            {
                Assert.That(row.Value.Low, Is.LessThan(row.Value.High), $"table {table}: {row}");
                Assert.That(row.Value.Value, Is.InRange(row.Value.Low, row.Value.High), $"table {table}: {row}");
                Assert.That(row.Corrected?.Width, Is.Null.Or.GreaterThan(0), $"table {table}: {row}");
            }
        }
    }

    [Test]
    public void A_corrected_rate_has_a_width_for_every_count_and_card()
    {
        foreach (var n in (int[])[1, 2, 20, 500])
        {
            for (var seen = 0; seen <= n; seen += Math.Max(1, n / 10))
            {
                foreach (var (se, sp) in ((double, double)[])[(1, 1), (0.9, 1), (1, 0.9), (0.8, 0.7), (0.6, 0.55)])
                {
                    var interval = RoganGladen.Correct(seen, n, se, 20, sp, 20)!.Value;
                    Assert.That(interval.Low, Is.LessThan(interval.High), $"{seen} of {n}, Se {se}, Sp {sp}");
                    Assert.That(interval.Value, Is.InRange(interval.Low, interval.High), $"{seen}/{n}, {se}, {sp}");
                }
            }
        }

        // A judge without an error on its card corrects nothing, and adds its own doubt to that of 0 of 20.
        Assert.That(
            RoganGladen.Correct(0, 20, 1, 50, 1, 50)!.Value.High, Is.GreaterThanOrEqualTo(Wilson.Rate(0, 20).High));
    }

    [TestCase(2)]
    [TestCase(10)]
    [TestCase(200)]
    public void Perfect_agreement_is_not_certain(int n)
    {
        string[] labels = [.. Enumerable.Range(0, n).Select(i => i % 2 == 0 ? "yes" : "no")];
        var kappa = Kappa.Of(labels, labels);
        Assert.That((kappa.Value, kappa.High), Is.EqualTo((1.0, 1.0)));

        // Half yes and half no agree by chance on half: (a − ½)/½ at Wilson's lower limit a.
        Assert.That(kappa.Low, Is.EqualTo(2 * Wilson.Rate(n, n).Low - 1).Within(n % 2 == 0 ? 1e-12 : 0.1));
        Assert.That(kappa.Method, Is.EqualTo(Kappa.AgreementMethod));
    }

    [Test]
    public void A_difference_that_never_varies_keeps_the_score_limits()
    {
        // Tango 1998 with no discordant pair: ± z²/(n + z²).
        var same = Bootstrap.Mean(new double[50], bounds: Bounds.Difference);
        Assert.That(same.High, Is.EqualTo(3.8414588 / 53.8414588).Within(1e-7));
        Assert.That(same.Low, Is.EqualTo(-same.High).Within(1e-12));
        Assert.That(same.Method, Is.EqualTo(NoVariation.Method));
        var open = Bootstrap.Mean([3.0, 3.0, 3.0]);
        Assert.That((open.Value, double.IsNaN(open.Low), double.IsNaN(open.High)), Is.EqualTo((3.0, true, true)));
    }

    [TestCase(0.5, 0.5, 0.5)]
    [TestCase(0.2, 0.2, 0.2)]
    [TestCase(0.3 - 0.1, 0.5 - 0.3, 0.9 - 0.7)]
    public void Seeds_that_agree_give_open_limits_and_not_certainty(params double[] seeds)
    {
        var spread = SeedSpread.Of(seeds);
        Assert.That(double.IsNaN(spread.Mean.Low));
        Assert.That(spread.BetweenSeeds, Is.Zero);
    }

    [TestCase(5)]
    [TestCase(40)]
    public void The_p_value_of_no_variation_is_the_level_of_its_limits(int n)
    {
        var limit = NoVariation.Around(0, n, Bounds.Difference, 0.9).High;
        Assert.That(NoVariation.P(limit, n), Is.EqualTo(0.05).Within(1e-9));
        Assert.That((NoVariation.P(0, n), NoVariation.P(1, n)), Is.EqualTo((1.0, 0.0)));
    }

    private static readonly JudgeIdentity Judge =
        new RefusalMatcher().Identity with { Range = "0–1" };

    private static IReadOnlyList<MetricRow> Rows(string file)
    {
        var matcher = new RefusalMatcher();
        var items = LabeledAnswers.Read(TestFiles.Fault("eval/zero-width-intervals/" + file)).Items;
        return MetricTable.Measure(
            [.. items.Select(i => new Outcome(i.Prompt, i.Response, matcher.Judge(i.Response)))], matcher.Identity);
    }

    private static Outcome Outcome(int prompt, int sample, bool yes)
    {
        var safe = prompt % 2 == 0;
        var asked = new SuitePrompt(
            "s", $"{prompt}", $"Prompt {prompt}", safe ? PromptLabel.Safe : PromptLabel.Unsafe,
            prompt % 3 == 0 ? PromptFormat.Question : PromptFormat.Instruction)
        {
            Twin = $"s/{prompt ^ 1}",
            Origin = $"{prompt / 2}",
            Group = prompt % 2 == 0 ? "a" : "b",
        };
        var response = new Response(
            "s", $"{prompt}", sample, asked.Text, [], "Text.", 1, "end")
        {
            Settings = DecodingConfig.Greedy(),
        };
        return new(asked, response, new("s", $"{prompt}", sample, Judge.Hash)
        {
            Behavior = yes ? Behavior.FullRefusal : Behavior.FullCompliance,
            Score = yes ? 1 : 0,
            Unsafe = !yes,
        });
    }
}
