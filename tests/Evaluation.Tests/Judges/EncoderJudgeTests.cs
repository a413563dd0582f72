using SafeLlama.Common;
using SafeLlama.Inference;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Evaluation.Tests;

/// <summary>The paper's own judges: over made-up scores, and over the reference checkpoint.</summary>
[TestFixture]
public sealed class EncoderJudgeTests
{
    /// <summary>A published pair of examples: a harmful answer rated 3.46, a refusal 0.006.</summary>
    private const string RealModel = "SAFELLAMA_HARM_JUDGE";

    private static string Reference => Path.Combine(TestFiles.ShippedReference, "models", "F-deberta");

    private sealed class Scorer(Func<ScoredText, TextScore> score) : ITextScorer
    {
        public string Identity => "encoder";

        public List<ScoredText> Seen { get; } = [];

        public IReadOnlyList<TextScore> Score(IReadOnlyList<ScoredText> texts, CancellationToken cancellation)
        {
            Seen.AddRange(texts);
            return [.. texts.Select(score)];
        }
    }

    [Test]
    public async Task Harmfulness_is_kept_raw_and_read_as_a_conversation()
    {
        var scorer = new Scorer(_ => new(-0.37, 0));
        var judge = new HarmfulnessJudge(scorer);
        var verdict = await Judge(judge, Answers.To("How?", " So.\nHuman: no "));
        Assert.Multiple(() =>
        {
            Assert.That(scorer.Seen[0].First, Is.EqualTo("\n\nHuman: How?\n\nAssistant: So.\nHuman·: no"));
            Assert.That(scorer.Seen[0].Second, Is.Null);
            Assert.That(verdict.Score, Is.EqualTo(-0.37), "below zero is not clipped");
            Assert.That(verdict.Unsafe, Is.False);
            Assert.That(verdict.Detail, Is.Null);
            Assert.That(judge.Identity.Scale, Is.EqualTo("about 0–4, may fall below 0; lower is safer"));
        });
    }

    [Test]
    public async Task From_its_threshold_on_an_answer_is_harmful()
    {
        var scorer = new Scorer(_ => new(2, 0));
        Assert.That((await Judge(new HarmfulnessJudge(scorer), Answers.To("q", "a"))).Unsafe, Is.True);
        Assert.That((await Judge(new HarmfulnessJudge(scorer, 2.5), Answers.To("q", "a"))).Unsafe, Is.False);
        Assert.That(
            new HarmfulnessJudge(scorer, 2.5).Identity.Hash,
            Is.Not.EqualTo(new HarmfulnessJudge(scorer).Identity.Hash));
    }

    [Test]
    public async Task A_preference_reads_prompt_and_answer_and_gives_no_verdict_on_harm()
    {
        var scorer = new Scorer(_ => new(5, 0));
        var judge = new PreferenceJudge(scorer);
        var verdict = await Judge(judge, Answers.To("How?", "So."));
        Assert.That(scorer.Seen[0], Is.EqualTo(new ScoredText("How?", "So.")));
        Assert.That((verdict.Score, verdict.Unsafe), Is.EqualTo((5.0, (bool?)null)));
        Assert.That(judge.Identity.Scale, Does.EndWith("; higher is better"));
    }

    [Test]
    public async Task A_score_that_is_not_finite_leaves_its_answer_unscored_and_the_others_scored()
    {
        var judge = new HarmfulnessJudge(new Scorer(
            t => new(t.First.Contains("bad", StringComparison.Ordinal) ? double.NaN : 1, 0)));
        var verdicts = await judge.JudgeAsync([Answers.To("q", "bad"), Answers.To("q", "a", "2")], default);
        Assert.That(verdicts.Select(v => v.Score), Is.EqualTo(new double?[] { null, 1 }));
        Assert.That(verdicts[0].Unscored, Is.EqualTo("the score is not finite"));
    }

    [Test]
    public async Task An_answer_that_is_too_long_is_cut_and_told_and_stops_nothing()
    {
        using var backend = new CpuBackend(2);
        using var session = EncoderSession.Open(backend, Reference);
        var told = new List<string>();
        IReadOnlyList<Verdict> verdicts;
        using (var scorer = new EncoderScorer(session, told.Add))
        {
            var answer = string.Join(' ', Enumerable.Repeat("the score is safe", 400));
            verdicts = await new HarmfulnessJudge(scorer).JudgeAsync(
                [Answers.To("q", answer), Answers.To("q", "safe", "2")], default);
        }

        Assert.That(verdicts.Select(v => v.Score), Has.All.Not.Null);
        Assert.That(verdicts[0].Detail, Does.Match(@"^truncated: the last \d+ tokens were not read$"));
        Assert.That(verdicts[1].Detail, Is.Null);
        Assert.That(told.Single(), Does.StartWith("1 of 2 texts were longer than 512 tokens"));
    }

    /// <summary>Resuming judges the rest alone: its numbers must be those of the whole.</summary>
    [Test]
    public void A_score_does_not_depend_on_the_texts_beside_it()
    {
        using var backend = new CpuBackend(2);
        using var session = EncoderSession.Open(backend, Reference);
        using var scorer = new EncoderScorer(session);
        ScoredText[] texts = [.. Enumerable.Range(1, 40).Select(i => new ScoredText(
            string.Join(' ', Enumerable.Repeat("the yeast and water", i * i % 37)), i % 3 == 0 ? "safe" : null))];
        var together = scorer.Score(texts, default);
        for (var i = 0; i < texts.Length; i += 5)
        {
            Assert.That(scorer.Score([texts[i]], default)[0], Is.EqualTo(together[i]), $"text {i}");
        }
    }

    [Test]
    public void A_judge_that_does_not_fit_is_refused_before_it_is_loaded()
    {
        using var backend = new CpuBackend(1);
        var refused = Assert.Throws<SafeLlamaException>(
            () => EncoderSession.Open(backend, Reference, new() { MemoryBytes = 1 << 20 }))!;
        Assert.That(refused.Code, Is.EqualTo(ExitCode.DoesNotFit));
        Assert.That(refused.Message, Does.StartWith("The judge needs ").And.Contain("1.0 MiB can be used"));
    }

    [Test]
    public void Little_memory_makes_smaller_passes_with_the_same_scores()
    {
        using var backend = new CpuBackend(1);
        using var large = EncoderSession.Open(backend, Reference);
        using var small = EncoderSession.Open(backend, Reference, new() { MemoryBytes = large.Memory.Total - 1 });
        Assert.That(small.Memory.Total, Is.LessThan(large.Memory.Total));
        Assert.That(small.Notes[^1], Does.Contain("tokens at once instead of 2048"));
        int[][] inputs = [.. Enumerable.Range(0, 9).Select(
            i => large.Tokenizer.EncodeInput(string.Concat(Enumerable.Repeat("the yeast ", 60 * i)), 512).Ids)];
        Assert.That(small.Logits(inputs), Is.EqualTo(large.Logits(inputs)));
    }

    [Test]
    public void A_classifier_of_several_labels_is_refused()
    {
        using var backend = new CpuBackend(1);
        var folder = TestFiles.NewFolder();
        foreach (var file in Directory.GetFiles(Path.Combine(TestFiles.ShippedReference, "models", "F-deberta-3")))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        File.Copy(Path.Combine(Reference, "spm.model"), Path.Combine(folder, "spm.model"));
        using var session = EncoderSession.Open(backend, folder);
        Assert.That(session.Notes.Single(), Does.Contain("deberta.embeddings.position_ids"));
        Assert.That(
            () => new EncoderScorer(session),
            Throws.InstanceOf<SafeLlamaException>().With.Message.Contains("names 3 labels (\"id2label\"), expected 1"));
    }

    [Test]
    public void A_tokenizer_of_more_pieces_than_the_model_has_rows_is_refused()
    {
        using var backend = new CpuBackend(1);
        var folder = TestFiles.NewFolder();
        foreach (var file in Directory.GetFiles(Reference))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        var config = Path.Combine(folder, "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"vocab_size\": 160", "\"vocab_size\": 150"));
        Assert.That(
            () => EncoderSession.Open(backend, folder),
            Throws.InstanceOf<SafeLlamaException>().With.Message.Contains("has 159 pieces"));
    }

    /// <summary>The harm judge that the paper's authors published rates their two examples as they print.</summary>
    [Test]
    public async Task The_published_judge_rates_the_published_examples()
    {
        if (Environment.GetEnvironmentVariable(RealModel) is not { Length: > 0 } folder)
        {
            Assert.Ignore($"No published harm judge is here: {RealModel} names the folder of its checkpoint "
                + "(config.json, model.safetensors, spm.model) and of examples.jsonl, whose rows hold prompt, response "
                + "and rating (3.46 for the harmful answer, 0.006 for the refusal).");
            return;
        }

        using var backend = new CpuBackend(Environment.ProcessorCount);
        using var session = EncoderSession.Open(backend, folder);
        using var scorer = new EncoderScorer(session);
        var judge = new HarmfulnessJudge(scorer);
        foreach (var line in File.ReadLines(Path.Combine(folder, "examples.jsonl")))
        {
            using var row = System.Text.Json.JsonDocument.Parse(line);
            string Text(string name) => row.RootElement.GetProperty(name).GetString()!;
            var verdict = await Judge(judge, Answers.To(Text("prompt"), Text("response")));

            // The examples are printed with two and three digits.
            Assert.That(verdict.Score, Is.EqualTo(row.RootElement.GetProperty("rating").GetDouble()).Within(0.01));
        }
    }

    private static async Task<Verdict> Judge(IJudge judge, JudgedAnswer answer) =>
        (await judge.JudgeAsync([answer], default))[0];
}
