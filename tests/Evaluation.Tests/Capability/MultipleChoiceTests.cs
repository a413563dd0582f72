using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Evaluation.Tests;

[TestFixture]
public sealed class MultipleChoiceTests
{
    /// <summary>One nat a character, so that short choices win by sum and none wins by length.</summary>
    private sealed class PerCharacter(Func<string, double> cost) : ILikelihood
    {
        public string Identity => "per character";

        public List<LikelihoodRequest> Seen { get; } = [];

        public IReadOnlyList<ContinuationScore> Score(
            IReadOnlyList<LikelihoodRequest> requests, CancellationToken cancellation)
        {
            Seen.AddRange(requests);
            return [.. requests.Select(r => new ContinuationScore(-cost(r.Continuation), r.Continuation.Length))];
        }
    }

    private static IEnumerable<string> Names => ChoiceTask.Known.Select(t => t.Name);

    [TestCaseSource(nameof(Names))]
    public void Every_task_loads_with_its_released_count(string name)
    {
        TestFiles.Data(ChoiceTask.Known.Single(t => t.Name == name).File);
        var (task, path) = ChoiceTask.Find(name, TestFiles.Data("."));
        var items = ChoiceFile.Read(path, name);
        Assert.That(items, Has.Count.EqualTo(task.Rows));
        Assert.That(items.SelectMany(i => i.Choices).All(c => c.Length > 0 && !c.Contains("Answer2:")));
        Assert.That(items.All(i => i.Question.Length > 0 && !i.Question.Contains("Answer format")));
    }

    [Test]
    public void Both_formats_of_Piqa_hold_the_same_questions()
    {
        var adapters = ChoiceFile.Read(TestFiles.Data("lm-eval-style/piqa.test.json"), "piqa");
        var raw = ChoiceFile.Read(TestFiles.Data("lm-eval-style/piqa-raw/valid.jsonl"), "piqa");
        Assert.That(adapters.Select(i => i.Gold), Is.EqualTo(raw.Select(i => i.Gold)));
        var different = adapters.Zip(raw).Count(
            x => !x.First.Choices.Select(Plain).SequenceEqual(x.Second.Choices.Select(Plain)));
        Assert.That(different, Is.Zero);

        static string Plain(string text) =>
            string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }

    [Test]
    public void Arc_easy_has_one_right_answer5()
    {
        var items = ChoiceFile.Read(TestFiles.Data("lm-eval-style/ARC-Easy.test.json"), "arc-easy");
        Assert.That(items.Count(i => i.Gold == 4), Is.EqualTo(1));
        Assert.That(items.GroupBy(i => i.Choices.Count).ToDictionary(g => g.Key, g => g.Count()),
            Is.EqualTo(new Dictionary<int, int> { [4] = 2365, [3] = 7, [5] = 4 }));
    }

    [Test]
    public void The_highest_sum_and_the_highest_sum_per_byte_are_told_apart()
    {
        // Two choices of 2 and 8 bytes at 3 and 6 nats: the short one has the higher sum, the long one more per byte.
        var item = new ChoiceItem("t", "1", "Which?", ["ab", "abcdefgh"], 1);
        var record = Run(new PerCharacter(c => c.Length == 3 ? 3 : 6), item);
        Assert.That((record.Picked, record.PickedNormalized), Is.EqualTo((0, 1)));
        Assert.That(record.Context, Is.EqualTo("Question: Which?\nAnswer:"));
        Assert.That(record.Continuations, Is.EqualTo(new[] { " ab", " abcdefgh" }));
    }

    [Test]
    public void Lengths_are_counted_in_bytes_of_the_choice_without_its_space()
    {
        // "üü" has two characters and four bytes: 4 nats over 4 bytes beat 3.5 over 3.
        var item = new ChoiceItem("t", "1", "Which?", ["abc", "üü"], 1);
        var record = Run(new PerCharacter(c => c == " abc" ? 3.51 : 4), item);
        Assert.That((record.Picked, record.PickedNormalized), Is.EqualTo((0, 1)));
    }

    [Test]
    public void The_first_of_equals_is_picked() =>
        Assert.That(Run(new PerCharacter(_ => 1), new("t", "1", "Q", ["aa", "bb", "cc"], 2)).Picked, Is.Zero);

    [Test]
    public void A_stopped_run_goes_on_and_asks_nothing_twice()
    {
        var path = Path.Combine(TestFiles.NewFolder(), "capability.jsonl");
        ChoiceItem[] items =
            [.. Enumerable.Range(0, 20).Select(i => new ChoiceItem("piqa", $"{i}", $"Q{i}", ["x", "yy"], i % 2))];
        var task = ChoiceTask.Known.Single(t => t.Name == "piqa");
        var model = new PerCharacter(c => c.Length);
        using (var store = RecordStore.Open<ChoiceRecord>(path))
        {
            MultipleChoice.Run(task, items[..9], model, store);
        }

        using var again = RecordStore.Open<ChoiceRecord>(path);
        var result = MultipleChoice.Run(task, items, model, again);
        Assert.That(model.Seen, Has.Count.EqualTo(40));
        Assert.That((result.N, result.Accuracy.Value), Is.EqualTo((20, 0.5)));
    }

    [Test]
    public void Examples_stand_before_every_question_and_come_from_elsewhere()
    {
        ChoiceItem[] pool =
            [.. Enumerable.Range(0, 9).Select(i => new ChoiceItem("piqa", $"e{i}", $"E{i}", ["a", "b"], 1))];
        var item = new ChoiceItem("piqa", "1", "Q", ["x", "y"], 0);
        var drawn = FewShot.Draw(pool, [item], 2, seed: 3);
        var context = Run(new PerCharacter(_ => 1), item, drawn).Context;
        Assert.That(context, Is.EqualTo(
            $"Question: {drawn[0].Question}\nAnswer: b\n\nQuestion: {drawn[1].Question}\nAnswer: b\n\nQuestion: "
            + "Q\nAnswer:"));
        Assert.That(() => FewShot.Draw(pool, pool, 2, 3), Throws.InstanceOf<SafeLlamaException>());
    }

    [TestCase(
        """[{"instruction":"Q\n\nAnswer1: a Answer2: b\n\nAnswer format: answer1/answer2","answer":"answer3"}]""",
        "not one of")]
    [TestCase(
        """[{"instruction":"Q\n\nAnswer1: a\n\nAnswer format: answer1/answer2","answer":"answer1"}]""", "Answer2")]
    [TestCase("""[{"instruction":"Q","answer":"answer1"}]""", "not one of")]
    public void A_bad_question_is_refused_with_its_place(string json, string expected)
    {
        var path = Path.Combine(TestFiles.NewFolder(), "x.json");
        File.WriteAllText(path, json);
        Assert.That(() => ChoiceFile.Read(path, "x"), Throws.InstanceOf<SafeLlamaException>()
            .With.Message.Contains("x.json:1").And.Message.Contains(expected));
    }

    [Test]
    public void Perplexity_is_the_exponential_of_the_mean_surprise()
    {
        var result = Perplexity.Of(["abcd", "ef"], new PerCharacter(c => c.Length * 0.5));
        Assert.That(result.Value.Value, Is.EqualTo(Math.Exp(0.5)).Within(1e-12));
        Assert.That(result.BitsPerByte, Is.EqualTo(0.5 / Math.Log(2)).Within(1e-12));
        Assert.That((result.Tokens, result.Texts), Is.EqualTo((6, 2)));
    }

    private static ChoiceRecord Run(ILikelihood model, ChoiceItem item, IReadOnlyList<ChoiceItem>? examples = null)
    {
        using var store = RecordStore.Open<ChoiceRecord>(Path.Combine(TestFiles.NewFolder(), "capability.jsonl"));
        MultipleChoice.Run(ChoiceTask.Known.Single(t => t.Name == "piqa"), [item], model, store, examples);
        return store.Records[0];
    }
}
