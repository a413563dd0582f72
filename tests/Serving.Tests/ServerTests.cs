using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Serving.Tests;

public sealed class ServerTests
{
    [TestCase(null, 401)]
    [TestCase("Bearer wrong", 401)]
    [TestCase("Bearer ", 401)]
    [TestCase("Basic right", 401)]
    [TestCase("Bearer right", 200)]
    public async Task A_key_opens_all_but_health(string? sent, int status)
    {
        await using var server = await Fixture.Start(settings: new() { ApiKey = "right" });
        server.Client.DefaultRequestHeaders.Authorization =
            sent is null ? null : AuthenticationHeaderValue.Parse(sent);
        foreach (var path in new[] { "/v1/models", "/metrics", "/tokenizer_info" })
        {
            Assert.That((int)(await server.Client.GetAsync(path)).StatusCode, Is.EqualTo(status), path);
        }

        Assert.That((await server.Client.GetAsync("/health")).StatusCode, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task Another_name_of_this_machine_and_other_content_are_refused()
    {
        await using var server = await Fixture.Start();
        using var renamed = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        renamed.Headers.Host = "example.org";
        Assert.That((int)(await server.Client.SendAsync(renamed)).StatusCode, Is.EqualTo(403));
        using var text = new StringContent(ChatTests.Body("one", "a").ToJsonString());
        Assert.That((int)(await server.Client.PostAsync("/v1/chat/completions", text)).StatusCode, Is.EqualTo(415));
    }

    [TestCase("", false)]
    [TestCase("https://a.example", true)]
    [TestCase("https://b.example", false)]
    public async Task Pages_may_ask_only_from_origins_that_are_named(string origin, bool allowed)
    {
        await using var server = await Fixture.Start(settings: new() { Cors = origin.Length == 0 ? [] : [origin] });
        using var preflight = new HttpRequestMessage(HttpMethod.Options, "/v1/chat/completions");
        preflight.Headers.Add("Origin", "https://a.example");
        preflight.Headers.Add("Access-Control-Request-Method", "POST");
        preflight.Headers.Add("Access-Control-Request-Headers", "content-type");
        using var response = await server.Client.SendAsync(preflight);
        Assert.That(response.Headers.Contains("Access-Control-Allow-Origin"), Is.EqualTo(allowed));
    }

    [Test]
    public async Task Too_much_is_refused_by_size_and_by_number()
    {
        await using var server = await Fixture.Start(new() { Slots = 1, Queue = 1 }, new() { MaxBody = 4096 });
        var (status, error) = await server.Refused(
            "/v1/completions", ChatTests.Body("one", new('a', 5000)).ToJsonString());
        Assert.That(status, Is.EqualTo(413), error.ToJsonString());
        var (tooMany, _) = await server.Refused("/v1/completions", """{"model":"one","prompt":["a","b"],"n":2}""");
        Assert.That(tooMany, Is.EqualTo(400));
        var prompt = server.Session.PromptIds("Name a color.");
        var slow = new SequenceRequest(server.Engine.Models[0] with { EndTokens = [] }, prompt, new(), 150);
        using var running = server.Engine.Submit([slow, slow]);
        using var response = await server.Client.PostAsJsonAsync(
            "/v1/completions", new { model = "one", prompt = "a", n = 2 });
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.TooManyRequests));
        Assert.That(response.Headers.RetryAfter!.Delta, Is.EqualTo(TimeSpan.FromSeconds(1)));
        Assert.That(
            (string?)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!["code"],
            Is.EqualTo("queue_full"));
    }

    [Test]
    public async Task Unknown_addresses_and_methods_are_errors_in_the_same_form()
    {
        await using var server = await Fixture.Start();
        foreach (var (path, status) in new[] { ("/v2", 404), ("/v1/chat/completions", 405), ("/v1/models/x", 404) })
        {
            using var response = await server.Client.GetAsync(path);
            Assert.That((int)response.StatusCode, Is.EqualTo(status), path);
            Assert.That(
                (string?)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!["message"],
                Is.Not.Empty);
        }
    }

    [Test]
    public async Task Metrics_count_requests_and_tokens()
    {
        await using var server = await Fixture.Start();
        var answer = await server.Ask("/v1/chat/completions", ChatTests.Body("two", "Name a color."));
        var text = await server.Client.GetStringAsync("/metrics");
        double Value(string name, string label = "") => text.Split('\n')
            .Where(line => line.StartsWith(name + "{", StringComparison.Ordinal) && line.Contains(label))
            .Sum(line => double.Parse(line.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture));

        // Servers of tests beside this one have the same names: at least what this one did.
        Assert.That(
            Value("safellama_tokens_generated_total"),
            Is.GreaterThanOrEqualTo((int)answer["usage"]!["completion_tokens"]!));
        Assert.That(Value("safellama_requests_total", "status=\"200\""), Is.GreaterThanOrEqualTo(1));
        Assert.That(Value("safellama_sequences_total", "model=\"two\""), Is.GreaterThanOrEqualTo(1));
        Assert.That(text, Does.Contain("safellama_slots_busy").And.Contain("safellama_queue"));
    }

    [Test]
    public async Task A_judge_answers_moderations()
    {
        await using var server = await Fixture.Start(judge: new LengthJudge());
        var answer = await server.Ask("/v1/moderations", new { input = new[] { "short", "a longer text" } });
        Assert.That(
            answer["results"]!.AsArray().Select(r => (bool)r!["flagged"]!), Is.EqualTo((bool[])[false, true]));
        Assert.That((double)answer["results"]![1]!["category_scores"]!["harmful"]!, Is.EqualTo(13));
        var client = new OpenAI.Moderations.ModerationClient(
            "any", new System.ClientModel.ApiKeyCredential("none"),
            new() { Endpoint = new Uri(server.Server.Address, "v1") });
        Assert.That((await client.ClassifyTextAsync("a longer text")).Value.Flagged, Is.True);
    }

    [Test]
    public async Task Without_a_judge_moderations_are_refused()
    {
        await using var server = await Fixture.Start();
        var (status, error) = await server.Refused("/v1/moderations", """{"input":"a"}""");
        Assert.That((status, (string?)error["code"]), Is.EqualTo((404, "no_judge")));
    }

    [Test]
    public async Task Stopping_lets_an_answer_under_way_end()
    {
        var server = await Fixture.Start();
        var body = ChatTests.Body("one", "Name a color.");
        body["max_tokens"] = 100;
        var asked = server.Client.PostAsJsonAsync("/v1/chat/completions", body);
        Assert.That(() => server.Engine.Busy + (asked.IsCompleted ? 1 : 0), Is.GreaterThan(0).After(5000, 1));
        Assert.That(await server.Server.StopAsync(), Is.True);
        Assert.That((await asked).StatusCode, Is.EqualTo(HttpStatusCode.OK));
        await server.DisposeAsync();
    }

    [Test]
    public void Settings_out_of_range_are_refused_by_name()
    {
        Assert.That(() => new EngineSettings { Slots = 0 }.Validate(), Fault("Slots"));
        Assert.That(() => new ServerSettings { Host = "nowhere.example" }.Validate(), Fault("Host"));
        Assert.That(() => new ServerSettings { Port = 70_000 }.Validate(), Fault("Port"));
        Assert.That(() => new ServerSettings { Cors = ["no origin"] }.Validate(), Fault("Cors"));
    }

    [Test]
    public void The_plan_grows_with_slots_and_is_refused_with_its_numbers()
    {
        var (session, engine) = Fixture.Open();
        using (session)
        using (engine)
        {
            var few = EngineMemory.Plan(session, Fixture.ModelFolder, new() { Slots = 1 });
            var many = EngineMemory.Plan(session, Fixture.ModelFolder, new() { Slots = 101 });

            // 100 slots of 256 tokens, keys and values of 128 floats in four layers; some rows more for logits.
            Assert.That(many.Total - few.Total, Is.EqualTo(100L * 256 * 128 * 4 * 2 * 4).Within(2).Percent);
            Assert.That(
                () => EngineMemory.Plan(session, Fixture.ModelFolder, new() { Slots = 1001 }).RequireFit(few.Total),
                Fault("1001 slots of 256 tokens"));
        }
    }

    private static NUnit.Framework.Constraints.IResolveConstraint Fault(string part) =>
        Throws.TypeOf<SafeLlamaException>().With.Message.Contains(part);

    /// <summary>Calls long texts harmful.</summary>
    internal sealed class LengthJudge : IJudge
    {
        public JudgeIdentity Identity { get; } = new(
            "length", "length", 1, "none", "", 10, "characters", ScoreDirection.LowerIsSafer);

        public Task<IReadOnlyList<Verdict>> JudgeAsync(
            IReadOnlyList<JudgedAnswer> items, CancellationToken cancellation) =>
            Task.FromResult<IReadOnlyList<Verdict>>([.. items.Select(item => Verdict.On(item.Response, this) with
            {
                Score = item.Response.Answer.Length,
                Unsafe = item.Response.Answer.Length >= 10,
            })]);
    }
}
