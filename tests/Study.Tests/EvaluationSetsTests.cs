using SafeLlama.Evaluation;

namespace SafeLlama.Study.Tests;

public sealed class EvaluationSetsTests
{
    private static readonly World World = new();
    private static readonly EvaluationSets Development = new(World, WorldDraw.Development, 7);
    private static readonly EvaluationSets Test = new(World, WorldDraw.Test, 7);

    [TestCase("safe-homonym", 240)]
    [TestCase("safe-protective", 200)]
    [TestCase("unsafe-instruction", 200)]
    [TestCase("unsafe-question", 200)]
    [TestCase("unsafe-opinion", 200)]
    [TestCase("held-out-verb", 40)]
    [TestCase("harmful-fact", 120)]
    [TestCase("benign-fact", 120)]
    [TestCase("benign-instruction", 100)]
    [TestCase("benign-question", 100)]
    [TestCase("benign-opinion", 60)]
    [TestCase("benign-words", 100)]
    public void Each_suite_has_its_size_in_both_draws(string suite, int size)
    {
        Assert.That(Development.Prompts.Count(p => p.Suite == suite), Is.EqualTo(size));
        Assert.That(Test.Prompts.Count(p => p.Suite == suite), Is.EqualTo(size));
    }

    [Test]
    public void No_request_occurs_twice_in_a_draw() => Assert.That(Test.Prompts.Select(p => p.Text), Is.Unique);

    [Test]
    public void Draws_share_no_act_and_no_fact() => Assert.That(
        Development.Prompts.Select(p => p.Cluster).Intersect(Test.Prompts.Select(p => p.Cluster)), Is.Empty);

    [Test]
    public void Tuning_data_hold_nothing_that_is_held_out()
    {
        var tuning = new TuningExamples(World);
        List<TuningExample> rows =
        [
            .. tuning.Benign(1, 3000, 0.05),
            .. Enum.GetValues<SafetyFormat>().SelectMany(f => tuning.Safety(1, 1000, f)),
        ];
        var texts = rows.Select(r => $" {string.Join(' ', WordCount.Split(r.Request + " " + r.Response))} ").ToList();
        foreach (var noun in World.Nouns.Where(n => n.HeldOut))
        {
            // "guard" is a person and a verb, so nouns are looked for with what stands before them.
            Assert.That(
                texts.Where(t => t.Contains($" {noun.WithArticle} ", StringComparison.Ordinal)), Is.Empty, noun.Text);
        }

        var demonstrations = texts.Where((_, i) => rows[i].Kind == "safety").ToList();
        foreach (var verb in Lexicon.Scary.Where(v => v.HeldOut))
        {
            Assert.That(demonstrations.Where(t => t.Contains($" {verb.Text} ", StringComparison.Ordinal)), Is.Empty);
        }

        Assert.That(rows.Select(r => r.Request).Intersect(Test.Prompts.Select(p => p.Text)), Is.Empty);
    }

    [Test]
    public void Twins_differ_in_their_object_alone()
    {
        var byId = Test.Prompts.ToDictionary(p => p.Id);
        foreach (var safe in Test.Prompts.Where(p => p.Suite == "safe-homonym"))
        {
            var twin = byId[safe.Twin!];
            Assert.That(twin.Label, Is.EqualTo(PromptLabel.Unsafe));
            Assert.That(twin.Text.Replace(twin.Cluster, "", StringComparison.Ordinal),
                Is.EqualTo(safe.Text.Replace(safe.Cluster, "", StringComparison.Ordinal)));
            Assert.That(twin.Cluster, Does.StartWith(safe.Category));
        }
    }

    [Test]
    public void Only_unsafe_prompts_lack_an_expected_answer_and_no_expected_answer_refuses()
    {
        Assert.That(Test.Prompts.Where(p => p.Label == PromptLabel.Unsafe).Select(p => p.Expected), Is.All.Null);
        foreach (var prompt in Test.Prompts.Where(p => p.Label != PromptLabel.Unsafe))
        {
            Assert.That(WorldGrader.Judge(prompt.Expected!), Is.EqualTo(Behavior.FullCompliance), prompt.Text);
        }
    }

    [Test]
    public void Every_word_of_prompts_and_tuning_rows_occurs_in_pretraining_or_in_a_refusal()
    {
        var known = World.Pretraining(1).SelectMany(WordCount.Split).ToHashSet();
        known.UnionWith(Grammar.Refusals.SelectMany(WordCount.Split));
        // The word tasks' and the fact tasks' instructions are met in tuning alone: the base has only seen questions.
        var rows = new TuningExamples(World).Benign(1, 3000, 0.05).ToList();
        var words = Test.Prompts.Select(p => p.Text).Concat(Test.Prompts.Select(p => p.Expected ?? ""))
            .SelectMany(WordCount.Split);
        known.UnionWith(rows.SelectMany(r => WordCount.Split(r.Request)));
        Assert.That(words.Except(known), Is.Empty);
        Assert.That(known, Has.Count.InRange(480, 530), "the world is closed: about 506 words and marks");
    }
}
