using System.Net;
using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Evaluation;
using SafeLlama.Inference;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Serving.Tests;

/// <summary>Faults that users of other servers have reported, asked of this one.</summary>
public sealed class ReportedFaultTests
{
    /// <summary>huggingface/text-generation-inference #1039, theroyallab/tabbyAPI #141.</summary>
    [Test]
    public async Task Offsets_of_tokens_that_a_stop_text_holds_back_are_those_without_it()
    {
        await using var server = await Fixture.Start();
        var prompt = server.Session.PromptIds("Name a color.");
        async Task<JsonNode> Choice(string[] stop) => (await server.Ask("/v1/completions", new
        {
            model = "miniature",
            prompt,
            max_tokens = 8,
            logprobs = 0,
            echo = true,
            stop,
        }))["choices"]![0]!;
        var free = await Choice([]);
        var answer = ((string)free["text"]!)[server.Session.Tokenizer.Decode(prompt).Length..];
        var held = await Choice([answer + "never"]);
        static int[] Offsets(JsonNode choice) =>
            [.. choice["logprobs"]!["text_offset"]!.AsArray().Select(o => (int)o!)];
        Assert.That((string?)held["text"], Is.EqualTo((string?)free["text"]));
        Assert.That(Offsets(held), Is.EqualTo(Offsets(free)));
        Assert.That(Offsets(held).Skip(prompt.Length).Distinct().Count(), Is.GreaterThan(1));
    }

    /// <summary>vllm-project/vllm #1623 and #2937: infinite quotients drew token 0, or ended the engine.</summary>
    [Test]
    public async Task A_temperature_next_to_nothing_takes_the_likeliest([Values(1e-300, 1e-308, 5e-324)] double warm)
    {
        await using var server = await Fixture.Start();
        async Task<string> Answer(double temperature) => (string)(await server.Ask("/v1/completions", new
        {
            model = "one",
            prompt = "The cat",
            max_tokens = 8,
            temperature,
        }))["choices"]![0]!["text"]!;
        Assert.That(await Answer(warm), Is.EqualTo(await Answer(0)).And.Not.Empty);
    }

    /// <summary>ggml-org/llama.cpp #13262 and #6421.</summary>
    [Test]
    public void Requests_that_are_given_up_in_the_queue_keep_no_place()
    {
        var (session, engine) = Fixture.Open(new() { Slots = 1, Queue = 40 });
        using (session)
        using (engine)
        {
            var slow = new SequenceRequest(
                engine.Models[0] with { EndTokens = [] }, session.PromptIds("Name a color."), new(), 150);
            var many = Enumerable.Repeat(slow, 20).ToList();
            using var running = engine.Submit(many);
            engine.Submit(many).Dispose();
            Assert.That(engine.Waiting, Is.InRange(1, 20));
            using var next = engine.Submit(many);
            Assert.That(engine.Waiting, Is.InRange(21, 40), "the first twenty are still under way");
        }
    }

    /// <summary>ggml-org/llama.cpp #13262: who went away was counted as answered.</summary>
    [Test]
    public async Task A_request_whose_client_went_away_is_counted_as_such()
    {
        await using var server = await Fixture.Start(new() { Slots = 1 });

        // A hundred long answers, one after another: the first has begun and the last is seconds away.
        using (var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions"))
        {
            request.Content = System.Net.Http.Json.JsonContent.Create(new
            {
                model = "miniature",
                prompt = "a",
                n = 100,
                max_tokens = 200,
                temperature = 100,
                stream = true,
            });
            using var begun = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            Assert.That(begun.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        }

        Assert.That(
            () => server.Client.GetStringAsync("/metrics").Result, Does.Contain("status=\"499\"").After(10_000, 20));
    }

    /// <summary>vllm-project/vllm #16774, microsoft/autogen #1037; and no client sees this machine's folders.</summary>
    [Test]
    public async Task A_conversation_that_the_template_cannot_say_is_refused_without_a_path()
    {
        await using var server = await Fixture.Start();
        var (status, error) = await server.Refused("/v1/chat/completions", """
            {"model":"one","messages":[{"role":"system","content":"a"},{"role":"user","content":"b"}]}
            """);
        Assert.That(status, Is.EqualTo(400));
        Assert.That((string?)error["message"], Does.StartWith("the template template.json holds one request"));
        var list = await server.Client.GetStringAsync("/v1/models");
        Assert.That(list, Does.Contain("template.json").And.Not.Contain(TestFiles.Root));
    }

    /// <summary>ollama/ollama #6021.</summary>
    [TestCase("LOCALHOST", 200)]
    [TestCase("localhost.", 200)]
    [TestCase("127.0.0.2", 200)]
    [TestCase("[::1]:8080", 200)]
    [TestCase("127.0.0.1.example.org", 403)]
    [TestCase("localhost.example.org", 403)]
    [TestCase("0.0.0.0", 403)]
    public async Task All_names_of_this_machine_are_taken_and_no_other(string host, int status)
    {
        await using var server = await Fixture.Start();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        request.Headers.Host = host;
        Assert.That((int)(await server.Client.SendAsync(request)).StatusCode, Is.EqualTo(status));
    }

    [Test]
    public async Task Balancers_may_ask_for_heads([Values("/health", "/v1/models", "/tokenizer_info")] string path)
    {
        await using var server = await Fixture.Start();
        using var response = await server.Client.SendAsync(new(HttpMethod.Head, path));
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await response.Content.ReadAsStringAsync(), Is.Empty);
    }

    /// <summary>ollama/ollama #10139.</summary>
    [Test]
    public async Task An_id_with_a_slash_is_found_in_both_spellings()
    {
        using var session = LlamaSession.Open(new CpuBackend(1), Fixture.ModelFolder, new()
        {
            Choices = [Fixture.AdapterFolder("one")],
            OwnsBackend = true,
        });
        var models = ServedModel.Of(
            session, Fixture.ModelFolder, [("org/one", Fixture.AdapterFolder("one"))], Fixture.Template, _ => { });
        using var engine = new ServingEngine(session, models, new());
        await using var server = new SafeLlamaServer(engine, new() { Port = 0 });
        await server.StartAsync();
        using var client = new HttpClient { BaseAddress = server.Address };
        foreach (var path in new[] { "/v1/models/org/one", "/v1/models/org%2Fone", "/v1/models/org%2fone" })
        {
            Assert.That(await client.GetStringAsync(path), Does.Contain("\"org/one\""), path);
        }
    }

    /// <summary>Filler in front of a text, or behind it, must not hide the text from the judge.</summary>
    [TestCase("a", 200, false)]
    [TestCase("harm a", 200, true)]
    [TestCase("a a a a a a", 422, false)]
    [TestCase("harm a a a a a", 200, true)]
    public async Task A_text_that_the_judge_read_in_part_is_never_passed_as_harmless(
        string text, int status, bool flagged)
    {
        await using var server = await Fixture.Start(judge: new HarmfulnessJudge(new FourWords()));
        using var body = System.Net.Http.Json.JsonContent.Create(new { input = new[] { "a", text } });
        using var response = await server.Client.PostAsync("/v1/moderations", body);
        var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        Assert.That((int)response.StatusCode, Is.EqualTo(status), answer.ToJsonString());
        if (status == 200)
        {
            Assert.That((bool)answer["results"]![1]!["flagged"]!, Is.EqualTo(flagged));
        }
        else
        {
            Assert.That((string?)answer["error"]!["param"], Is.EqualTo("input[1]"));
        }
    }

    /// <summary>A whole number is one however it is written.</summary>
    [TestCase("5.0", 200)]
    [TestCase("5e0", 200)]
    [TestCase("5.5", 400)]
    [TestCase("1e400", 400)]
    [TestCase("4294967301", 400)]
    public async Task Whole_numbers_are_taken_in_every_spelling(string number, int status)
    {
        await using var server = await Fixture.Start();
        using var body = new StringContent(
            $$"""{"model":"one","prompt":"a","max_tokens":{{number}}}""", System.Text.Encoding.UTF8,
            "application/json");
        using var response = await server.Client.PostAsync("/v1/completions", body);
        Assert.That((int)response.StatusCode, Is.EqualTo(status));
        Assert.That(await response.Content.ReadAsStringAsync(), Does.Contain(status == 200 ? "choices" : number));
    }

    [TestCase("\"max_tokens\":3,\"max_completion_tokens\":4", "'max_completion_tokens' 4")]
    [TestCase("\"repetition_penalty\":5e-324", "5e-324")]
    [TestCase("\"modalities\":\"audio\"", "\"audio\"")]
    public async Task Values_that_cannot_be_met_are_refused_as_they_were_spelled(string field, string part)
    {
        await using var server = await Fixture.Start();
        var (status, error) = await server.Refused(
            "/v1/chat/completions",
            $$"""{"model":"one","messages":[{"role":"user","content":"a"}],{{field}}}""");
        Assert.That(status, Is.EqualTo(400));
        Assert.That((string?)error["message"], Does.Contain(part));
    }

    [Test]
    public async Task A_compressed_body_is_refused_as_such()
    {
        await using var server = await Fixture.Start();
        using var body = new ByteArrayContent([0x1f, 0x8b]);
        body.Headers.ContentType = new("application/json");
        body.Headers.ContentEncoding.Add("gzip");
        using var response = await server.Client.PostAsync("/v1/completions", body);
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.UnsupportedMediaType));
        Assert.That(await response.Content.ReadAsStringAsync(), Does.Contain("Content-Encoding"));
    }

    /// <summary>A judge whose fault repeats what it was sent lets no client forge lines of the log.</summary>
    [Test]
    public async Task A_fault_is_one_line_of_the_log_whatever_was_sent()
    {
        var log = new List<string>();
        await using var server = await Fixture.Start(judge: new Repeating(), log: log.Add);
        var (status, _) = await server.Refused("/v1/moderations", """{"input":"a\nforged \u001b[31m"}""");
        Assert.That(status, Is.EqualTo(500));
        Assert.That(log.Single(), Does.Contain("forged").And.Not.Contain("\n").And.Not.Contain("\u001b"));
    }

    /// <summary>vllm-project/vllm #1288, abetlen/llama-cpp-python #77.</summary>
    [Test]
    public async Task An_address_of_another_machine_is_a_fault_with_its_name()
    {
        var (session, engine) = Fixture.Open();
        using (session)
        using (engine)
        {
            await using var server = new SafeLlamaServer(
                engine, new() { Host = "203.0.113.1", Port = 0, ApiKey = "key" });
            Assert.That(
                async () => await server.StartAsync(),
                Throws.InstanceOf<SafeLlamaException>().With.Message.Contains("203.0.113.1"));
        }
    }

    [TestCase("127.0.0.2", true)]
    [TestCase("[::1]", true)]
    [TestCase("0.0.0.0", false)]
    public void Every_address_of_this_machine_alone_counts_as_such(string host, bool isLoopback) =>
        Assert.That(new ServerSettings { Host = host }.IsLoopback, Is.EqualTo(isLoopback));

    [TestCase(" ")]
    [TestCase("key\n")]
    public void A_key_that_no_client_can_send_is_refused_and_not_told(string key) => Assert.That(
        () => new ServerSettings { ApiKey = key }.Validate(),
        Throws.InstanceOf<SafeLlamaException>().With.Message.Not.Contains("key\n"));

    [Test]
    public void A_folder_with_an_equals_sign_is_a_folder()
    {
        var folder = Path.Combine(TestFiles.NewFolder(), "lr=1e-4", "adapter");
        Directory.CreateDirectory(folder);
        Assert.That(ServedModel.ParseAdapter(folder), Is.EqualTo(("lr=1e-4", folder)));
        Assert.That(ServedModel.ParseAdapter($"name={folder}"), Is.EqualTo(("name", folder)));
    }

    private sealed class Repeating : IJudge
    {
        public JudgeIdentity Identity { get; } = new(
            "repeating", "none", 1, "none", "", 1, "none", ScoreDirection.LowerIsSafer);

        public Task<IReadOnlyList<Verdict>> JudgeAsync(
            IReadOnlyList<JudgedAnswer> items, CancellationToken cancellation) =>
            throw new InvalidOperationException(items[0].Response.Answer);
    }

    /// <summary>Reads the first four words of an answer, and knows one that is harmful.</summary>
    private sealed class FourWords : ITextScorer
    {
        public string Identity => "four words";

        public IReadOnlyList<TextScore> Score(IReadOnlyList<ScoredText> texts, CancellationToken cancellation) =>
        [
            .. texts.Select(text => text.First.Split("Assistant: ")[1].Split(' ')).Select(words => new TextScore(
                words.Take(4).Contains("harm") ? 4 : 0, Math.Max(0, words.Length - 4))),
        ];
    }
}
