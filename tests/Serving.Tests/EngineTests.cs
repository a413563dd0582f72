using SafeLlama.Inference;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Serving.Tests;

public sealed class EngineTests
{
    /// <summary>
    /// The bytes of every logit, of twenty sequences of three adapters side by side, are those of each alone.
    /// </summary>
    [Test]
    public void A_sequence_has_the_bytes_it_has_alone_whatever_stands_beside_it([Values] bool isMiniature)
    {
        using var backend = new CpuBackend(2);
        var config = isMiniature ? LlamaConfig.Load(Fixture.ModelFolder) : TinyLlama.Config;
        using var weights = isMiniature
            ? LlamaWeights.Load(backend, config, Fixture.ModelFolder)
            : LlamaWeights.InitializeRandom(backend, config, seed: 3);
        using var one = TinyLlama.Adapter(backend, config, rank: 5);
        using var two = TinyLlama.Adapter(backend, weights, LoraVariant.Dora, rank: 3);
        using var model = new Llama(backend, weights, null, 64, [one, two]);
        const int Count = 20;
        var prompts = Enumerable.Range(0, Count).Select(i => TinyLlama.Tokens(3 + (i % 7), seed: i)).ToArray();
        using var together = new DecodingBatch(model, Count, 16, 40, exact: true);
        var order = Enumerable.Range(0, Count).OrderBy(i => i % 3).ToArray();
        for (var i = 0; i < Count; i++)
        {
            together.Read(i, prompts[i], (i % 3) - 1);
        }

        var expected = new List<double[]>();
        for (var i = 0; i < Count; i++)
        {
            using var chosen = new Llama(backend, weights, (i % 3) switch { 0 => null, 1 => one, _ => two }, 64);
            using var alone = new DecodingBatch(chosen, 1, 16, 40);
            alone.Read(0, prompts[i]);
            for (var step = 0; step < 4; step++)
            {
                alone.Step([0], [(i + step) % 30], [prompts[i].Length + step]);
                expected.Add([.. alone.Logits(0)]);
            }
        }

        for (var step = 0; step < 4; step++)
        {
            together.Step(
                order, [.. order.Select(i => (i + step) % 30)], [.. order.Select(i => prompts[i].Length + step)],
                [.. order.Select(i => (i % 3) - 1)]);
            for (var row = 0; row < Count; row++)
            {
                Assert.That(
                    together.Logits(row).ToArray(), Is.EqualTo(expected[(order[row] * 4) + step]),
                    $"sequence {order[row]}, step {step}");
            }
        }
    }

    [Test]
    public async Task Many_requests_at_once_get_the_answers_of_one_at_a_time()
    {
        var (session, engine) = Fixture.Open(new() { Slots = 12 });
        using (session)
        using (engine)
        {
            var requests = Enumerable.Range(0, 30).Select(i => Request(engine, i)).ToList();
            var answers = await Task.WhenAll(requests.Select(r => Task.Run(() => Tokens(engine, r))));
            for (var i = 0; i < requests.Count; i++)
            {
                var r = requests[i];
                var alone = Fixture.Alone(r.Model.Id, r.Prompt, r.Decoding with { MaxNewTokens = r.MaxTokens });
                Assert.That(answers[i], Is.EqualTo(alone.Tokens), $"request {i}");
            }

            Assert.That((engine.Busy, engine.Waiting), Is.EqualTo((0, 0)));
        }
    }

    [TestCase("stories260K-q8_0.gguf")]
    [TestCase("stories260K-q4_0.gguf")]
    public async Task A_file_in_blocks_is_served_with_the_answers_of_the_generator(string name)
    {
        var file = TestFiles.Interop(name);
        using var session = LlamaSession.Open(new CpuBackend(2), file, new() { OwnsBackend = true, MaxLength = 128 });
        using var engine = new ServingEngine(
            session, ServedModel.Of(session, file, [], "plain", _ => { }), new() { Slots = 13 });
        var requests = Enumerable.Range(0, 13).Select(i => new SequenceRequest(
            engine.Models[0], [1, 300 + i, 20 + i], new(), 60)).ToList();
        var answers = await Task.WhenAll(requests.Select(r => Task.Run(() => Tokens(engine, r))));
        var generator = new Generator(
            session.Model, DecodingConfig.Greedy(60) with
            {
                EosIds = engine.Models[0].EndTokens,
                TokenLimit = session.Tokenizer.VocabularySize,
            });
        for (var i = 0; i < requests.Count; i++)
        {
            Assert.That(answers[i], Is.EqualTo(generator.Generate([requests[i].Prompt])[0].Tokens), $"request {i}");
        }
    }

    [Test]
    public async Task A_group_that_is_given_up_frees_its_slots()
    {
        var (session, engine) = Fixture.Open(new() { Slots = 2 });
        using (session)
        using (engine)
        {
            for (var i = 0; i < 5; i++)
            {
                using var group = engine.Submit([Request(engine, 0) with { MaxTokens = 150, Stop = [] }]);
                await foreach (var _ in group.Updates())
                {
                    break;
                }
            }

            Assert.That(() => engine.Busy, Is.Zero.After(5000, 10));
            Assert.That(await Tokens(engine, Request(engine, 3)), Is.Not.Empty);
        }
    }

    [Test]
    public void A_full_queue_turns_requests_away()
    {
        var (session, engine) = Fixture.Open(new() { Slots = 1, Queue = 2 });
        using (session)
        using (engine)
        {
            Assert.Throws<QueueFullException>(() => engine.Submit([.. Enumerable.Repeat(Request(engine, 1), 4)]));
            using var fits = engine.Submit([.. Enumerable.Repeat(Request(engine, 1), 3)]);
        }
    }

    /// <summary>While 1,500 tokens are read, in six parts, another answer goes on by a token after each of
    /// them.</summary>
    [Test]
    public async Task A_long_prompt_is_read_between_the_tokens_of_others()
    {
        var folder = Path.Combine(TestFiles.NewFolder(), "long");
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.GetFiles(Fixture.ModelFolder))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        var config = Path.Combine(folder, "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace(
            "\"max_position_embeddings\": 256", "\"max_position_embeddings\": 2048", StringComparison.Ordinal));
        using var session = LlamaSession.Open(new CpuBackend(1), folder, new() { OwnsBackend = true, MaxLength = 2048 });
        using var engine = new ServingEngine(
            session, ServedModel.Of(session, folder, [], Fixture.Template, _ => { }), new() { Slots = 2 });
        var model = engine.Models[0] with { EndTokens = [] };
        int[] prompt = [.. Enumerable.Range(0, 1500).Select(i => 10 + (i * 7 % 200))];
        var longer = new SequenceRequest(model, prompt, new(), 3);
        var alone = await Tokens(engine, longer);

        using var talking = engine.Submit([new(model, [1, 20, 30], new(), 300)]);
        var updates = talking.Updates().GetAsyncEnumerator();
        await updates.MoveNextAsync();
        var first = Tokens(engine, longer);
        var meanwhile = 0;
        while (!first.IsCompleted && await updates.MoveNextAsync())
        {
            meanwhile++;
        }

        Assert.That(meanwhile, Is.GreaterThanOrEqualTo(5));
        Assert.That(await first, Is.EqualTo(alone));
        engine.Stop(TimeSpan.Zero);
        var generator = new Generator(session.Model, DecodingConfig.Greedy(3) with
        {
            TokenLimit = session.Tokenizer.VocabularySize,
        });
        Assert.That(alone, Is.EqualTo(generator.Generate([prompt])[0].Tokens));
    }

    /// <summary>The other request waits for one answer of the first's eight, not for all.</summary>
    [Test]
    public async Task Requests_take_turns_for_slots()
    {
        var (session, engine) = Fixture.Open(new() { Slots = 1 });
        using (session)
        using (engine)
        {
            var request = Request(engine, 0) with { MaxTokens = 20, Model = engine.Models[0] with { EndTokens = [] } };
            using var many = engine.Submit([.. Enumerable.Repeat(request, 8)]);
            using var one = engine.Submit([request]);
            var ended = 0;
            var counting = Task.Run(async () =>
            {
                await foreach (var update in many.Updates())
                {
                    ended += update.End is null ? 0 : 1;
                }
            });
            await foreach (var update in one.Updates())
            {
                if (update.End is not null)
                {
                    Assert.That(ended, Is.LessThanOrEqualTo(3));
                }
            }

            await counting;
            Assert.That(ended, Is.EqualTo(8));
        }
    }

    [Test]
    public async Task Stopping_finishes_what_is_under_way_and_takes_nothing_more()
    {
        var (session, engine) = Fixture.Open(new() { Slots = 1 });
        using (session)
        using (engine)
        {
            using var group = engine.Submit([Request(engine, 1), Request(engine, 2)]);
            Assert.That(engine.Stop(TimeSpan.FromSeconds(30)), Is.True);
            var ends = 0;
            await foreach (var update in group.Updates())
            {
                ends += update.End is null ? 0 : 1;
            }

            Assert.That(ends, Is.EqualTo(2));
            Assert.Throws<EngineStoppedException>(() => engine.Submit([Request(engine, 1)]));
        }
    }

    private static SequenceRequest Request(ServingEngine engine, int i)
    {
        var model = engine.Models[i % 3];
        var prompt = Data.SegmentEncoder.Ids(
            engine.Session.Tokenizer, model.Template.RenderPrompt($"Explain number {i}."));
        return new(model, prompt, new DecodingConfig { Temperature = i % 2 == 0 ? 0 : 1.2, Seed = i }, 5 + i);
    }

    private static async Task<List<int>> Tokens(ServingEngine engine, SequenceRequest request)
    {
        using var group = engine.Submit([request]);
        var tokens = new List<int>();
        await foreach (var update in group.Updates())
        {
            tokens.AddRange(update.Token is { } token ? [token] : []);
        }

        return tokens;
    }
}
