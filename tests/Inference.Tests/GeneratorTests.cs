using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Inference.Tests;

public sealed class GeneratorTests
{
    private static readonly DecodingConfig Greedy = new() { MaxNewTokens = 12, EosIds = [2] };

    [Test]
    public void A_batch_gives_each_prompt_the_answer_it_gets_alone([Values(0.0, 0.9)] double temperature)
    {
        using var fixture = new Fixture();
        var config = Greedy with { Temperature = temperature, Seed = 5 };
        var prompts = Enumerable.Range(0, 7).Select(i => TinyLlama.Tokens(3 + (2 * i), seed: i)).ToList();
        var together = new Generator(fixture.Model, config).Generate(prompts);
        for (var i = 0; i < prompts.Count; i++)
        {
            var alone = new Generator(fixture.Model, config).Generate([prompts[i]], firstSequence: i)[0];
            Assert.That(together[i].Tokens, Is.EqualTo(alone.Tokens), $"prompt {i}");
            Assert.That(together[i].LogLikelihood, Is.EqualTo(alone.LogLikelihood).Within(1e-4), $"prompt {i}");
        }
    }

    /// <summary>Four caches of 34 tokens are long enough for attention to split their keys.</summary>
    [Test]
    public void An_emulated_gpu_gives_the_answers_of_the_cpu()
    {
        using var fixture = new Fixture();
        using var device = new Fixture(backend: GpuBackend.OpenEmulated(DType.Float32));
        var config = Greedy with { MaxNewTokens = 4 };
        var prompts = Enumerable.Range(0, 4).Select(i => TinyLlama.Tokens(30 - (7 * i), seed: i)).ToList();
        var expected = new Generator(fixture.Model, config).Generate(prompts);
        var found = new Generator(device.Model, config).Generate(prompts);
        Assert.That(found.Select(f => f.Tokens), Is.EqualTo(expected.Select(e => e.Tokens)));
        Assert.That(
            found.Select(f => f.LogLikelihood), Is.EqualTo(expected.Select(e => e.LogLikelihood)).Within(1e-4));
    }

    [Test]
    [NonParallelizable]
    public void A_further_token_allocates_nothing([Values(1, 2)] int threads)
    {
        using var backend = new CpuBackend(threads);
        using var weights = LlamaWeights.InitializeRandom(backend, TinyLlama.Config, seed: 1);
        using var model = new Llama(backend, weights, adapter: null, maxLength: 64);
        var (marks, count) = (new long[40], 0);
        new Generator(model, new DecodingConfig { MaxNewTokens = marks.Length }).Generate(
            [[1, 2, 3]], onToken: (_, _) => marks[count++] = GC.GetTotalAllocatedBytes(precise: true));

        // The text doubles its room at some tokens, and other threads allocate now and then: at most tokens nothing.
        Assert.That(Enumerable.Range(20, 19).Min(i => marks[i + 1] - marks[i]), Is.Zero);
    }

    [Test]
    public void One_beam_is_greedy()
    {
        using var fixture = new Fixture();
        var prompt = TinyLlama.Tokens(6, seed: 3);
        var greedy = new Generator(fixture.Model, Greedy).Generate([prompt])[0];
        var beam = new BeamSearch(fixture.Model, Greedy).Generate(prompt, default);
        Assert.That(beam.Tokens, Is.EqualTo(greedy.Tokens));
        Assert.That(beam.Stop, Is.EqualTo(greedy.Stop));
    }

    [Test]
    public void As_many_beams_as_sequences_is_exhaustive_search()
    {
        // 5 tokens, 3 places: 125 sequences, no end token, so all have one length and compete by likelihood alone.
        using var fixture = new Fixture(TinyLlama.Config with { VocabularySize = 5, EosTokenIds = [] });
        int[] prompt = [1, 4, 2];
        var found = new Generator(fixture.Model, new DecodingConfig { MaxNewTokens = 3, Beams = 125 })
            .Generate([prompt])[0];
        using var scorer = new Scorer(fixture.Model);
        var best = (
            from a in Enumerable.Range(0, 5)
            from b in Enumerable.Range(0, 5)
            from c in Enumerable.Range(0, 5)
            select (Tokens: new[] { a, b, c }, Score: scorer.LogLikelihoods([.. prompt, a, b, c]).TakeLast(3).Sum()))
                .MaxBy(s => s.Score);
        Assert.That(found.Tokens, Is.EqualTo(best.Tokens));
        Assert.That(found.LogLikelihood, Is.EqualTo(best.Score).Within(1e-4));
    }

    [Test]
    public void The_score_of_an_answer_is_its_log_likelihood()
    {
        using var fixture = new Fixture();
        var prompt = TinyLlama.Tokens(5, seed: 8);
        var answer = new Generator(fixture.Model, Greedy).Generate([prompt])[0];
        using var scorer = new Scorer(fixture.Model);
        var scores = scorer.LogLikelihoods([.. prompt, .. answer.Tokens]);
        Assert.That(scores.Skip(prompt.Length - 1).Sum(), Is.EqualTo(answer.LogLikelihood).Within(1e-4));
    }

    [Test]
    public void Tokens_are_streamed_in_order_and_the_answer_stops_at_the_end_token()
    {
        using var fixture = new Fixture();
        var streamed = new List<int>();
        var prompt = TinyLlama.Tokens(5, seed: 8);
        var whole = new Generator(fixture.Model, Greedy with { EosIds = [] })
            .Generate([prompt], onToken: (_, t) => streamed.Add(t))[0];
        Assert.That(streamed, Is.EqualTo(whole.Tokens));
        var end = whole.Tokens[4];
        var stopped = new Generator(fixture.Model, Greedy with { EosIds = [end] }).Generate([prompt])[0];
        Assert.That(stopped.Tokens, Is.EqualTo(whole.Tokens.Take(whole.Tokens.ToList().IndexOf(end) + 1)));
        Assert.That(stopped.Stop, Is.EqualTo(StopReason.End));
    }

    [TestCase("TopP", 0.0, 0.9, 0)]
    [TestCase("TopK", 0.0, 1.0, 40)]
    [TestCase("TopP", 0.1, 1.5, 0)]
    public void Settings_that_would_have_no_effect_are_refused(string option, double temperature, double topP, int topK)
    {
        using var fixture = new Fixture();
        var config = Greedy with { Temperature = temperature, TopP = topP, TopK = topK };
        var error = Assert.Throws<SafeLlamaException>(() => new Generator(fixture.Model, config).Generate([[1]]))!;
        Assert.That(error.Message, Does.StartWith(option));
        Assert.That(error.Code, Is.EqualTo(ExitCode.Usage));
    }

    [Test]
    public void Logits_that_are_not_finite_are_refused([Values(1, 3)] int beams)
    {
        using var fixture = new Fixture();
        var prompt = TinyLlama.Tokens(5, seed: 8);
        var norm = fixture.Weights[LlamaShapes.FinalNormName].Value;
        norm.Write([.. Enumerable.Repeat(double.NaN, norm.Columns)]);
        var error = Assert.Throws<SafeLlamaException>(
            () => new Generator(fixture.Model, Greedy with { Beams = beams }).Generate([prompt]))!;
        Assert.That(error.Message, Does.Contain("not finite"));
        Assert.That(error.Code, Is.EqualTo(ExitCode.NonFinite));
    }

    [Test]
    public void Having_ruled_out_every_token_is_said()
    {
        using var fixture = new Fixture(TinyLlama.Config with { VocabularySize = 3, EosTokenIds = [] });
        var config = new DecodingConfig { MaxNewTokens = 5, NoRepeatNgram = 1 };
        var error = Assert.Throws<SafeLlamaException>(() => new Generator(fixture.Model, config).Generate([[1]]))!;
        Assert.That(error.Message, Does.Contain("NoRepeatNgram 1"));
    }

    [Test]
    public void A_model_that_rates_texts_is_not_asked_to_continue_them()
    {
        using var fixture = new Fixture(TinyLlama.Config with { ScoresSequences = true });
        var error = Assert.Throws<SafeLlamaException>(() => new Generator(fixture.Model, Greedy).Generate([[1]]))!;
        Assert.That(error.Message, Does.Contain("LlamaForSequenceClassification").And.Contain("as a reward model"));
    }

    [Test]
    public void A_token_outside_the_vocabulary_is_named()
    {
        using var fixture = new Fixture();
        var error = Assert.Throws<SafeLlamaException>(() => new Generator(fixture.Model, Greedy).Generate([[1, 99]]))!;
        Assert.That(error.Message, Does.Contain("99").And.Contain("37"));
    }

    private sealed class Fixture : IDisposable
    {
        private readonly IBackend _backend;
        private readonly LlamaWeights _weights;

        public Fixture(LlamaConfig? config = null, IBackend? backend = null)
        {
            _backend = backend ?? new CpuBackend(1);
            _weights = LlamaWeights.InitializeRandom(_backend, config ?? TinyLlama.Config, seed: 4);
            Model = new Llama(_backend, _weights, adapter: null, maxLength: 48);
        }

        public Llama Model { get; }

        public LlamaWeights Weights => _weights;

        public void Dispose()
        {
            Model.Dispose();
            _weights.Dispose();
            _backend.Dispose();
        }
    }
}
