using SafeLlama.Evaluation;

namespace SafeLlama.Study.Tests;

public sealed class WideWorldTests
{
    private static readonly World World = new(WorldDials.Wide with { PretrainingTokens = 300_000 });
    private static readonly EvaluationSets Development = new(World, WorldDraw.Development, 7);
    private static readonly EvaluationSets Test = new(World, WorldDraw.Test, 7);

    [Test]
    public void Harm_has_eight_categories_of_seven_nouns_three_held_out() => Assert.Multiple(() =>
    {
        Assert.That(World.Harmful, Has.Count.EqualTo(8));
        foreach (var category in World.Harmful)
        {
            var nouns = World.Of(NounKind.Harmful).Where(noun => noun.Category == category.Name).ToList();
            Assert.That((nouns.Count, nouns.Count(n => n.HeldOut)), Is.EqualTo((7, 3)), category.Name);
        }
    });

    [TestCase("harm-category", 200)]
    [TestCase("paraphrase-unsafe", 240)]
    [TestCase("paraphrase-safe", 240)]
    [TestCase("paraphrase-benign", 120)]
    [TestCase("people-unsafe", 160)]
    [TestCase("people-safe", 160)]
    [TestCase("people-benign", 80)]
    [TestCase("turns-unsafe", 360)]
    [TestCase("turns-safe", 360)]
    [TestCase("turns-benign", 180)]
    [TestCase("foot-in-door", 200)]
    [TestCase("after-unsafe", 180)]
    [TestCase("vague", 40)]
    public void Each_suite_has_its_size_in_both_draws(string suite, int size)
    {
        Assert.That(Development.Prompts.Count(p => p.Suite == suite), Is.EqualTo(size));
        Assert.That(Test.Prompts.Count(p => p.Suite == suite), Is.EqualTo(size));
    }

    [Test]
    public void Draws_share_no_act_and_no_fact() => Assert.That(
        Development.Prompts.Select(p => p.Cluster).Intersect(Test.Prompts.Select(p => p.Cluster)), Is.Empty);

    [Test]
    public void Every_act_is_asked_about_in_every_category_of_its_suite()
    {
        foreach (var suite in Test.Prompts.Where(p =>
            p.Suite.StartsWith("paraphrase", StringComparison.Ordinal)
            || p.Suite.StartsWith("people", StringComparison.Ordinal)
            || p.Suite.StartsWith("turns", StringComparison.Ordinal)
            || p.Suite is "foot-in-door" or "after-unsafe").GroupBy(p => p.Suite))
        {
            var categories = suite.Select(p => p.Category).Distinct().Count();
            Assert.That(categories, Is.GreaterThan(2));
            Assert.That(suite.GroupBy(p => p.Cluster).Select(act => act.Select(p => p.Category).Distinct().Count()),
                Is.All.EqualTo(categories), suite.Key);
        }
    }

    [Test]
    public void A_greater_distance_keeps_fewer_words_of_the_instructions_that_tuning_uses()
    {
        var known = Paraphrase.Wordings(0).SelectMany(WordCount.Split).ToHashSet(StringComparer.OrdinalIgnoreCase);
        double[] kept =
        [
            .. Enumerable.Range(0, Paraphrase.Farthest + 1).Select(distance => Paraphrase.Wordings(distance)
                .Average(w => WordCount.Split(w).Average(word => known.Contains(word) ? 1.0 : 0))),
        ];
        Assert.That(kept, Is.Ordered.Descending);
        Assert.That(kept[0], Is.EqualTo(1));
        Assert.That(kept, Is.Unique);
    }

    [Test]
    public void Prompts_about_peoples_differ_in_the_name_alone()
    {
        var byId = Test.Prompts.ToDictionary(p => p.Id);
        var named = Test.Prompts.Where(p => p.Suite.StartsWith("people-", StringComparison.Ordinal)).ToList();
        Assert.That(named.Count(p => p.Twin is null), Is.EqualTo(named.Count / 4));
        foreach (var prompt in named.Where(p => p.Twin is not null))
        {
            var people = WideLexicon.Peoples[prompt.Category[^1] - 'a'];
            Assert.That(
                prompt.Text.Replace(people, WideLexicon.Peoples[0], StringComparison.Ordinal),
                Is.EqualTo(byId[prompt.Twin!].Text));
        }
    }

    [Test]
    public void A_conversation_grows_turn_by_turn_and_its_request_stays()
    {
        var rows = Prompts("turns-unsafe").GroupBy(row => row.Prompt.Cluster).First().ToList();
        Assert.That(rows.Select(row => row.Prompt.Text).Distinct().Count(), Is.EqualTo(1));
        for (var t = 0; t < rows.Count; t++)
        {
            Assert.That(rows[t].Context.Split("Instruction:").Length - 1, Is.EqualTo(t));
            Assert.That(t == 0 || rows[t].Context.StartsWith(rows[t - 1].Context, StringComparison.Ordinal));
        }
    }

    [Test]
    public void Peoples_occur_equally_often_in_pretraining()
    {
        var texts = World.Pretraining(1).ToList();
        int[] counts = [.. WideLexicon.Peoples.Select(people => texts.Count(t => t.Contains(people)))];

        // Binomial: four standard errors of a quarter.
        var error = 4 * Math.Sqrt(counts.Sum() * 0.25 * 0.75);
        Assert.That(counts, Is.All.EqualTo(counts.Sum() / 4.0).Within(error));
        Assert.That(counts.Min(), Is.GreaterThan(100));
    }

    [Test]
    public void Pretraining_never_answers_a_request_in_other_words_and_never_refuses_an_act()
    {
        var openings = Enumerable.Range(1, Paraphrase.Farthest).SelectMany(Paraphrase.Wordings)
            .Select(w => w[..w.IndexOf("{0}", StringComparison.Ordinal)]).Where(o => o.Length > 8).ToList();
        var texts = World.Pretraining(1).Where(t => openings.Any(o => t.Contains(o, StringComparison.Ordinal)));
        var answered = texts.Where(t => t.Contains(Grammar.GuideStart, StringComparison.Ordinal)).ToList();
        Assert.That(answered, Is.Empty);
        var verbs = Lexicon.Scary.Select(v => $" {v.Text} ").Concat(Lexicon.NounVerbs.Select(v => $" {v} "));
        Assert.That(
            World.Pretraining(1).Where(WorldGrader.Refuses)
                .Where(t => verbs.Any(v => t.Contains(v, StringComparison.Ordinal))),
            Is.Empty);
    }

    [Test]
    public void Rows_and_prompts_fit_into_the_bases_window_and_hold_nothing_held_out()
    {
        var rows = new TuningExamples(World).Benign(1, 3000, 0.05).ToList();
        var makeup = new SafetyRows { PeopleA = 0.5, Distances = [0, 3], Turns = [0, 8], SafeTwins = 50 };
        var demonstrations = new SafetyDemonstrations(World);
        rows.AddRange(demonstrations.Rows(1, 300, SafetyFormat.Mixed, makeup));
        rows.AddRange(demonstrations.Twins(1, SafetyFormat.Mixed, makeup));
        Assert.That(rows.Max(r => WordCount.Of($"{r.Context} {r.Request} {r.Response}")), Is.LessThan(245));
        Assert.That(Prompts("turns-benign").Max(p => WordCount.Of($"{p.Context} {p.Prompt.Text}")), Is.LessThan(205));
        var texts = rows.Select(r => " " + string.Join(' ', WordCount.Split($"{r.Context} {r.Request}")) + " ").ToList();
        foreach (var noun in World.Nouns.Where(n => n.HeldOut))
        {
            Assert.That(
                texts.Where(t => t.Contains($" {noun.WithArticle} ", StringComparison.Ordinal)), Is.Empty, noun.Text);
        }

        foreach (var kind in new[] { "dialogue", "paraphrase", "people", "vague", "fact", "action", "words" })
        {
            Assert.That(rows.Count(r => r.Kind == kind), Is.GreaterThan(30), kind);
        }
    }

    [Test]
    public void A_stall_neither_complies_nor_refuses()
    {
        foreach (var stall in Stalls.Answers)
        {
            Assert.That(WorldGrader.Judge(stall), Is.EqualTo(Behavior.Stall));
            Assert.That(WorldGrader.Complies(stall), Is.False);
            Assert.That(WorldGrader.Refuses(stall), Is.False);
            Assert.That(Behavior.Stall.IsInvalid(), Is.False, "it is counted, as neither");
        }
    }

    [Test]
    public void Only_suites_that_a_metric_reads_are_asked()
    {
        var metric = new StudyMetric
        {
            Name = "far",
            Title = "Far",
            Measure = Measure.Complies,
            Suites = ["paraphrase-unsafe"],
            Categories = ["distance-4", "distance-5"],
        };
        var source = new WorldSource(new StudyData { World = WorldDials.Wide, Draw = WorldDraw.Development }, [metric]);
        Assert.That(source.Prompts, Has.Count.EqualTo(80));
        Assert.That(source.Prompts.Select(p => p.Category).Distinct(), Is.EquivalentTo(metric.Categories));
        Assert.That(source.Lesson, Is.Not.Null, "the lesson may show prompts that are not asked");
    }

    private static IEnumerable<(StudyPrompt Prompt, string Context)> Prompts(string suite)
    {
        var asked = Test.Prompts.Where(p => p.Suite == suite).ToList();
        return asked.Zip(StudySuites.Of(asked).Single().Prompts, (p, s) => (p, s.Context ?? ""));
    }
}
