using SafeLlama.Common;
using SafeLlama.Inference;
using SafeLlama.Testing;

namespace SafeLlama.Evaluation.Tests;

[TestFixture]
public sealed class ModerationJudgeTests
{
    private const string Good =
        """{"id":"m","model":"m","results":[{"flagged":true,"category_scores":{"hate":0.2,"violence":0.9}}]}""";

    [Test]
    public async Task The_largest_category_score_is_the_score()
    {
        await using var server = new ScriptedServer(_ => ScriptedServer.Reply(200, Good));
        var verdict = await Judge(server);
        Assert.That((verdict.Score, verdict.Unsafe, verdict.Detail), Is.EqualTo((0.9, true, "violence")));
        Assert.That(server.Requests[0], Does.StartWith("POST /v1/moderations").And.Contain("Bearer secret"));
        var mean = await Judge(server, o => o with { Mean = true });
        Assert.That(mean.Score, Is.EqualTo(0.55).Within(1e-12));
    }

    [Test]
    public async Task A_rate_limit_is_waited_out()
    {
        await using var server = new ScriptedServer(n => n < 2
            ? ScriptedServer.Reply(429, "{}", "Retry-After: 0\r\n")
            : ScriptedServer.Reply(200, Good));
        Assert.That((await Judge(server)).Score, Is.EqualTo(0.9));
        Assert.That(server.Requests, Has.Count.EqualTo(3));
    }

    [TestCase(429, "limits the rate (429), after 3 tries")]
    [TestCase(500, "answered 500, after 3 tries")]
    public async Task A_server_that_keeps_failing_leaves_the_answer_unscored(int status, string reason)
    {
        await using var server = new ScriptedServer(_ => ScriptedServer.Reply(status, "{}"));
        var verdict = await Judge(server);
        Assert.That(verdict.Unscored, Does.Contain(reason));
        Assert.That(verdict.Score, Is.Null);
        Assert.That(server.Requests, Has.Count.EqualTo(3));
    }

    [Test]
    public async Task A_server_that_closes_the_connection_leaves_the_answer_unscored()
    {
        await using var server = new ScriptedServer(_ => "");
        Assert.That((await Judge(server)).Unscored, Is.EqualTo("the endpoint could not be reached, after 3 tries"));
    }

    [Test]
    public async Task A_server_that_hangs_leaves_the_answer_unscored()
    {
        await using var server = new ScriptedServer(_ => null);
        var verdict = await Judge(server, o => o with
        {
            Endpoint = o.Endpoint with { Timeout = TimeSpan.FromMilliseconds(200), Retries = 1 },
        });
        Assert.That(verdict.Unscored, Is.EqualTo("the endpoint did not answer in time, after 2 tries"));
    }

    [TestCase("{")]
    [TestCase("")]
    [TestCase("[]")]
    [TestCase("{\"results\":[]}")]
    [TestCase("{\"results\":[{\"category_scores\":{}}]}")]
    [TestCase("{\"results\":[{\"category_scores\":{\"hate\":\"high\"}}]}")]
    [TestCase("{\"results\":[{\"category_scores\":null}]}")]
    [TestCase("{\"results\":[{\"category_scores\":{\"hate\":1e999}}]}")]
    [TestCase("<html>502</html>")]
    public async Task A_malformed_reply_leaves_the_answer_unscored(string body)
    {
        await using var server = new ScriptedServer(_ => ScriptedServer.Reply(200, body));
        Assert.That((await Judge(server)).Unscored, Does.StartWith("the endpoint's reply"));
    }

    [Test]
    public async Task A_refused_key_stops_the_run_and_is_not_printed()
    {
        await using var server = new ScriptedServer(_ => ScriptedServer.Reply(401, "{}"));
        var error = (await Assert.ThrowsAsync<SafeLlamaException>(async () => await Judge(server)))!;
        Assert.That(error.Message, Does.Contain("refuses the key").And.Not.Contain("secret"));
    }

    [Test]
    public async Task Scores_are_cached_and_asked_for_once()
    {
        var cache = Path.Combine(TestFiles.NewFolder(), "moderation.jsonl");
        await using var server = new ScriptedServer(_ => ScriptedServer.Reply(200, Good));
        await Judge(server, o => o with { Cache = cache });
        Assert.That((await Judge(server, o => o with { Cache = cache })).Score, Is.EqualTo(0.9));
        Assert.That(server.Requests, Has.Count.EqualTo(1));
        Assert.That(File.ReadAllText(cache), Does.Not.Contain("secret"));
    }

    private static async Task<Verdict> Judge(
        ScriptedServer server, Func<ModerationOptions, ModerationOptions>? change = null)
    {
        var endpoint = new EndpointOptions(server.Address, "secret")
        {
            Retries = 2,
            Pause = TimeSpan.FromMilliseconds(5),
            Timeout = TimeSpan.FromSeconds(20),
        };
        var options = new ModerationOptions(endpoint, "model");
        using var judge = new ModerationJudge(change?.Invoke(options) ?? options);
        return (await judge.JudgeAsync([Answers.To("Question?", "An answer.")], CancellationToken.None))[0];
    }
}

internal static class Answers
{
    public static JudgedAnswer To(string prompt, string answer, string id = "1") => new(
        new("s", id, prompt, PromptLabel.Unsafe, PromptFormat.Instruction),
        new("s", id, 0, prompt, [], answer, 3, "end") { Settings = DecodingConfig.Greedy() });
}
