using System.Text.Json.Nodes;
using SafeLlama.Inference;
using SafeLlama.Kernels;

namespace SafeLlama.Serving.Tests;

public sealed class CompletionTests
{
    private const string Context = "Below is an instruction that describes a task.\n\nThe cat";

    /// <summary>
    /// The requests and sums of lm-evaluation-harness' <c>local-completions</c>: ids of context and continuation, one
    /// token more, <c>token_logprobs[ctxlen:-1]</c>.
    /// </summary>
    [Test]
    public async Task The_requests_of_a_harness_give_the_numbers_of_score([Values("miniature", "one", "two")] string id)
    {
        await using var server = await Fixture.Start();
        var tokenizer = server.Session.Tokenizer;
        string[] continuations = [" is pink.", " should come to no harm", " é\u200dx", " and the dog"];
        var begin = (int)(await server.Ask("/tokenize", new { prompt = "<s>" }))["tokens"]!.AsArray().Single()!;
        var contexts = continuations.Select(_ => (int[])[begin, .. tokenizer.Encode(Context)]).ToList();
        var whole = continuations.Select((c, i) => (int[])[.. contexts[i], .. tokenizer.EncodeContinuing(c)]).ToList();
        var answer = await server.Ask("/v1/completions", new
        {
            model = id,
            prompt = whole,
            temperature = 0,
            max_tokens = 1,
            logprobs = 1,
            seed = 1234,
            echo = true,
        });
        using var session = LlamaSession.Open(new CpuBackend(1), Fixture.ModelFolder, new()
        {
            Adapter = id == Fixture.Ids[0] ? null : Fixture.AdapterFolder(id),
            OwnsBackend = true,
        });
        using var scorer = new Scorer(session.Model);
        for (var i = 0; i < whole.Count; i++)
        {
            var logprobs = answer["choices"]![i]!["logprobs"]!;
            var numbers = logprobs["token_logprobs"]!.AsArray();
            var top = logprobs["top_logprobs"]!.AsArray();
            Assert.That(numbers, Has.Count.EqualTo(whole[i].Length + 1));
            Assert.That((numbers[0], top[0]), Is.EqualTo(((JsonNode?)null, (JsonNode?)null)));
            var expected = scorer.LogLikelihoods(whole[i])[(contexts[i].Length - 1)..];
            var found = numbers.Take(numbers.Count - 1).Skip(contexts[i].Length).Select(n => (double)n!).ToArray();
            Assert.That(found, Is.EqualTo(expected).Within(1e-5), continuations[i]);

            // A harness calls the answer greedy where each number is the largest of its place.
            var first = Fixture.Alone(id, contexts[i], DecodingConfig.Greedy(1)).Tokens[0];
            Assert.That(
                found[0] == top[contexts[i].Length]!.AsObject().Max(t => (double)t.Value!),
                Is.EqualTo(first == whole[i][contexts[i].Length]));
            for (var t = 1; t < numbers.Count; t++)
            {
                Assert.That(
                    (double)top[t]!.AsObject()[(string)logprobs["tokens"]![t]!]!, Is.EqualTo((double)numbers[t]!));
            }
        }
    }

    /// <summary>The token that ends an answer is counted: without it a harness drops the last one of a text.</summary>
    [Test]
    public async Task A_generated_end_token_has_its_entry()
    {
        await using var server = await Fixture.Start();
        var model = server.Engine.Models[0];
        var prompt = Data.SegmentEncoder.Ids(server.Session.Tokenizer, model.Template.RenderPrompt("Name a color."));
        var alone = Fixture.Alone(model.Id, prompt, DecodingConfig.Greedy(60));
        Assert.That(alone.Stop, Is.EqualTo(StopReason.End), "the miniature ends its answers");
        var choice = (await server.Ask("/v1/completions", new
        {
            model = model.Id,
            prompt,
            max_tokens = 60,
            logprobs = 0,
        }))["choices"]![0]!;
        Assert.That((string?)choice["logprobs"]!["tokens"]!.AsArray()[^1], Is.EqualTo("</s>"));
        Assert.That(choice["logprobs"]!["tokens"]!.AsArray(), Has.Count.EqualTo(alone.Tokens.Count));
        Assert.That((string?)choice["text"], Does.Not.Contain("</s>"));
    }

    [Test]
    public async Task Prompts_may_be_a_text_texts_ids_or_lists_of_ids()
    {
        await using var server = await Fixture.Start();
        int[] ids = [server.Session.Tokenizer.BosId!.Value, .. server.Session.Tokenizer.Encode("The fox")];
        object[] prompts = ["The fox", new[] { "The fox", "The owl" }, ids, new[] { ids, ids }];
        foreach (var prompt in prompts)
        {
            var answer = await server.Ask(
                "/v1/completions", new { model = "one", prompt, max_tokens = 8, echo = true });
            var alone = Fixture.Alone("one", ids, DecodingConfig.Greedy(8));
            Assert.That(
                (string?)answer["choices"]![0]!["text"],
                Is.EqualTo("The fox" + server.Session.Continuation(ids, alone)));
        }
    }

    [Test]
    public async Task Echo_alone_scores_and_generates_nothing()
    {
        await using var server = await Fixture.Start();
        var answer = await server.Ask(
            "/v1/completions",
            new { model = "two", prompt = "The fox is red.", max_tokens = 0, echo = true, logprobs = 2 });
        var choice = answer["choices"]![0]!;
        var (text, logprobs) = ((string)choice["text"]!, choice["logprobs"]!);
        Assert.That(text, Is.EqualTo("The fox is red."));
        Assert.That((int)answer["usage"]!["completion_tokens"]!, Is.Zero);
        Assert.That(logprobs["token_logprobs"]!.AsArray(), Has.Count.EqualTo((int)answer["usage"]!["prompt_tokens"]!));
        var (tokens, offsets) = (logprobs["tokens"]!.AsArray(), logprobs["text_offset"]!.AsArray());
        for (var i = 1; i < tokens.Count; i++)
        {
            Assert.That(
                text[(int)offsets[i]!..].TrimStart(), Does.StartWith(((string)tokens[i]!).TrimStart()), $"token {i}");
        }
    }

    [Test]
    public async Task Tokens_go_to_ids_and_back()
    {
        await using var server = await Fixture.Start();
        const string Text = "A naïve fox — <s> 漢字 \n end";
        var ids = (await server.Ask("/tokenize", new { prompt = Text, add_special_tokens = false }))["tokens"]!;
        Assert.That(ids.AsArray().Select(i => (int)i!), Is.EqualTo(server.Session.Tokenizer.Encode(Text)));
        var back = await server.Ask("/detokenize", new { tokens = ids });
        Assert.That((string?)back["prompt"], Is.EqualTo(Text));
        var begun = (await server.Ask("/tokenize", new { prompt = "a" }))["tokens"]!.AsArray();
        Assert.That((int)begun[0]!, Is.EqualTo(server.Session.Tokenizer.BosId));
        var info = JsonNode.Parse(await server.Client.GetStringAsync("/tokenizer_info"))!;
        Assert.That(((string?)info["bos_token"], (string?)info["eos_token"]), Is.EqualTo(("<s>", "</s>")));
    }

    [TestCase("""{"model":"one","prompt":[]}""", "prompt")]
    [TestCase("""{"model":"one","prompt":[1,"a"]}""", "prompt")]
    [TestCase("""{"model":"one","prompt":[99999999]}""", "99999999")]
    [TestCase("""{"model":"one","prompt":[-1]}""", "-1")]
    [TestCase("""{"model":"one","prompt":"a","max_tokens":0}""", "echo")]
    [TestCase("""{"model":"one","prompt":"a","suffix":"b"}""", "suffix")]
    [TestCase("""{"model":"one","prompt":"a","best_of":4}""", "best_of")]
    [TestCase("""{"model":"one","prompt":"a","logprobs":21}""", "logprobs")]
    [TestCase("""{"model":"one","prompt":"a","stop":[""]}""", "stop")]
    public async Task What_is_wrong_is_refused(string body, string part)
    {
        await using var server = await Fixture.Start();
        var (status, error) = await server.Refused("/v1/completions", body);
        Assert.That(status, Is.EqualTo(400), error.ToJsonString());
        Assert.That((string?)error["message"], Does.Contain(part));
    }
}
