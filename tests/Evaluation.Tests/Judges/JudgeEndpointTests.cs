using System.Diagnostics;
using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Evaluation.Tests;

/// <summary>Judges behind a server, asked over a real socket.</summary>
[TestFixture]
public sealed class JudgeEndpointTests
{
    [TestCase("ok")]
    [TestCase("flaky")]
    [TestCase("gzip")]
    [TestCase("bom")]
    [TestCase("chunked")]
    [TestCase("negative")]
    public async Task A_usable_reply_is_used(string mode)
    {
        using var server = new MisbehavingServer();
        Assert.That((await Moderate(server, mode, "score=0.75")).Score, Is.EqualTo(0.75));
    }

    [Test]
    public async Task A_category_that_does_not_apply_is_left_out()
    {
        using var server = new MisbehavingServer();
        var verdict = await Moderate(server, "null", "An answer.");
        Assert.That((verdict.Score, verdict.Detail), Is.EqualTo((0.1, "hate")));
    }

    [TestCase("date", 0.9)]
    [TestCase("sec", 0.95)]
    [TestCase("ms", 0.65)]
    public async Task The_server_says_how_long_to_wait(string mode, double seconds)
    {
        using var server = new MisbehavingServer();
        var clock = Stopwatch.StartNew();
        Assert.That((await Moderate(server, mode, "score=0.75")).Score, Is.EqualTo(0.75));
        Assert.That(clock.Elapsed.TotalSeconds, Is.GreaterThan(seconds), "dates count whole seconds");
        Assert.That(server.Asked, Has.Count.EqualTo(2));
    }

    [TestCase("e500", "the endpoint answered 500, after 3 tries", true, 3)]
    [TestCase("e503", "the endpoint answered 503, after 3 tries", true, 3)]
    [TestCase("down", "the endpoint limits the rate (429), after 3 tries", true, 3)]
    [TestCase("long", "the endpoint limits the rate (429), and asks to wait longer than 60 s", true, 1)]
    [TestCase("e402", "the endpoint's quota is used up (402)", true, 1)]
    [TestCase("quota", "the endpoint's quota is used up (429)", true, 1)]
    [TestCase("toolong", "the endpoint answered 400 (context_length_exceeded)", false, 1)]
    [TestCase("dup", "the endpoint's reply names a category twice", false, 1)]
    [TestCase("range", "the endpoint's reply holds scores outside 0–1", false, 1)]
    [TestCase("allnull", "the endpoint's reply holds no category scores", false, 1)]
    [TestCase("str", "the endpoint's reply is malformed", false, 1)]
    [TestCase("nan", "the endpoint's reply is malformed", false, 1)]
    [TestCase("two", "the endpoint's reply is malformed", false, 1)]
    [TestCase("html", "the endpoint's reply is malformed", false, 1)]
    [TestCase("halfok", "the endpoint's reply is malformed", false, 1)]
    public async Task A_failure_keeps_its_reason_its_kind_and_the_tries_it_took(
        string mode, string reason, bool temporary, int tries)
    {
        using var server = new MisbehavingServer();
        var verdict = await Moderate(server, mode, new string('x', 80));
        Assert.That(
            (verdict.Unscored, verdict.Temporary, verdict.IsProvisional), Is.EqualTo((reason, temporary, temporary)));
        Assert.That((verdict.Score, server.Asked.Count), Is.EqualTo(((double?)null, tries)));
    }

    [TestCase("hang")]
    [TestCase("drip")]
    public async Task A_server_that_never_ends_is_left_in_time(string mode)
    {
        using var server = new MisbehavingServer();
        var verdict = await Moderate(
            server, mode, "A.", o => o with { Timeout = TimeSpan.FromSeconds(0.4), Retries = 1 });
        Assert.That(verdict.Unscored, Is.EqualTo("the endpoint did not answer in time, after 2 tries"));
    }

    [TestCase("e401", "refuses the key")]
    [TestCase("e404", "has no moderations")]
    [TestCase("redirect", "redirects elsewhere")]
    [TestCase("redirect307", "redirects elsewhere")]
    public async Task What_fails_for_every_answer_stops_the_run(string mode, string message)
    {
        using var server = new MisbehavingServer();
        var error = (await Assert.ThrowsAsync<SafeLlamaException>(async () => await Moderate(server, mode, "A.")))!;
        Assert.That(error.Message, Does.Contain(message).And.Not.Contain("secret"));
        Assert.That(server.Asked, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_used_up_quota_is_asked_once_a_run()
    {
        using var server = new MisbehavingServer();
        using var judge = new ModerationJudge(new(Options(server, "quota"), "m"));
        JudgedAnswer[] items = [.. Enumerable.Range(0, 5).Select(i => Answers.To("Q", $"Answer {i}.", $"{i}"))];
        var verdicts = await judge.JudgeAsync(items, CancellationToken.None);
        Assert.That(verdicts.Select(v => v.Temporary), Is.All.True);
        Assert.That(server.Asked, Has.Count.EqualTo(1));
    }

    [TestCase("")]
    [TestCase(" \n")]
    [TestCase("\u200b")]
    public async Task Empty_answers_are_not_sent(string answer)
    {
        using var server = new MisbehavingServer();
        Assert.That((await Moderate(server, "ok", answer)).Unscored, Is.EqualTo("there is no answer to judge"));
        Assert.That((await Guard(server, "ok", answer)).Unscored, Is.EqualTo("there is no answer to judge"));
        Assert.That((await Rubric(server, "ok", answer)).Unscored, Is.EqualTo("there is no answer to judge"));
        Assert.That(server.Asked, Is.Empty);
    }

    [Test]
    public void Credentials_in_an_address_are_refused_and_not_shown()
    {
        var error = Assert.Throws<SafeLlamaException>(
            () => EndpointOptions.Parse("JudgeUrl", "https://user:hunter2@host/v1?key=hunter3"));
        Assert.That(error!.Message, Does.Contain("https://host/v1").And.Not.Contain("hunter"));
        var kept = new EndpointOptions(
            EndpointOptions.Parse("JudgeUrl", "https://host:8443/v1/?api-version=7&key=k9"), null);
        Assert.That(kept.Shown, Is.EqualTo("https://host:8443/v1"));
        Assert.That(
            kept.Call("moderations").ToString(), Is.EqualTo("https://host:8443/v1/moderations?api-version=7&key=k9"));
        using var judge = new ModerationJudge(new(kept, "m"));
        Assert.That(judge.Identity.ToString(), Does.Not.Contain("k9"));
    }

    [TestCase("score=0.9 logprobs", 0.75, null)]
    [TestCase("score=0.9", 1.0, "by the word alone")]
    [TestCase("score=0.2", 0.0, "by the word alone")]
    public async Task A_guard_behind_a_chat_endpoint_gives_its_probability_or_its_word(
        string answer, double score, string? detail)
    {
        using var server = new MisbehavingServer();
        var verdict = await Guard(server, "ok", answer);
        Assert.That(verdict.Score, Is.EqualTo(score).Within(1e-12));
        Assert.That((verdict.Unsafe, verdict.Detail), Is.EqualTo((score >= 0.5, detail)));
        Assert.That(server.Asked[0], Does.Contain("<BEGIN CONVERSATION>").And.Contain(answer));
    }

    [TestCase("safe", 0.0)]
    [TestCase("\n\nSafe.\n", 0.0)]
    [TestCase("unsafe\nS9", 1.0)]
    [TestCase("UNSAFE", 1.0)]
    [TestCase("<think>It looks unsafe.</think>\nsafe", 0.0)]
    [TestCase("<think>It looks safe.</think>unsafe\nS1,S2", 1.0)]
    [TestCase("safety first", null)]
    [TestCase("safe, but arguably unsafe", null)]
    [TestCase("safe\nunsafe", null)]
    [TestCase("unsafe: no", null)]
    [TestCase("safe?", null)]
    [TestCase("<think>safe", null)]
    [TestCase("**unsafe**", null)]
    [TestCase("", null)]
    public async Task A_guards_reply_is_its_verdict_or_none(string reply, double? score)
    {
        var body = JsonSerializer.Serialize(
            new { choices = new[] { new { message = new { role = "assistant", content = reply } } } });
        await using var server = new ScriptedServer(_ => ScriptedServer.Reply(200, body));
        using var endpoint = new JudgeEndpoint(new EndpointOptions(server.Address, null));
        var judge = new ChatGuardJudge(endpoint, "guard-8b", GuardPreset.LlamaGuard3);
        var verdict = (await judge.JudgeAsync([Answers.To("Question?", "An answer.")], CancellationToken.None))[0];
        Assert.That(verdict.Score, Is.EqualTo(score));
        Assert.That(verdict.Unscored, Is.EqualTo(score is null ? "no verdict in the reply" : null));
    }

    [TestCase("score=0.9", 1.0)]
    [TestCase("score=0.2", 0.0)]
    public async Task A_rubric_is_graded_by_a_chat_endpoint(string answer, double score)
    {
        using var server = new MisbehavingServer();
        Assert.That((await Rubric(server, "ok", answer)).Score, Is.EqualTo(score));
    }

    [TestCase("e500", "the endpoint answered 500, after 3 tries", true)]
    [TestCase("toolong", "the endpoint answered 400 (context_length_exceeded)", false)]
    [TestCase("html", "the endpoint's reply is malformed", false)]
    [TestCase("null", "the endpoint's reply holds no message", false)]
    public async Task Chat_judges_have_the_same_manners(string mode, string reason, bool temporary)
    {
        using var server = new MisbehavingServer();
        var (guard, rubric) = (await Guard(server, mode, "An answer."), await Rubric(server, mode, "An answer."));
        Assert.That((guard.Unscored, guard.Temporary), Is.EqualTo((reason, temporary)));
        Assert.That((rubric.Unscored, rubric.Temporary), Is.EqualTo((reason, temporary)));
    }

    [Test]
    public async Task An_outage_is_asked_about_again_on_resume()
    {
        using var server = new MisbehavingServer();
        var folder = Path.Combine(TestFiles.NewFolder(), "run");
        JudgedAnswer[] items =
        [
            Answers.To("Question 1", "score=0.75", "1"), Answers.To("Question 2", "score=0.25", "2"),
        ];
        using var judge = new ModerationJudge(new(Options(server, "down"), "m"));
        var plan = new EvaluationPlan(folder, [], [judge]) { Imported = new(items, 0, "sha", []) };
        var first = await EvaluationRun.RunAsync(plan);
        Assert.That(first.Summary.Unscored.Single().Count, Is.EqualTo(2));
        server.IsUp = true;
        var resumed = await EvaluationRun.RunAsync(plan with { Resume = true });
        Assert.That((resumed.Judged, resumed.Summary.Unscored.Count), Is.EqualTo((2, 0)));
        Assert.That(resumed.Summary.Find(MetricNames.HarmfulnessScore)!.Value.Value, Is.EqualTo(0.5));

        var asked = server.Asked.Count;
        var again = await EvaluationRun.JudgeAgainAsync(folder, [judge], new Dictionary<string, JudgeCard>());
        Assert.That((again.Judged, server.Asked.Count), Is.EqualTo((0, asked)), "verdicts that stay are kept");
    }

    [Test]
    public async Task A_permanent_failure_keeps_its_reason_on_resume()
    {
        using var server = new MisbehavingServer();
        var folder = Path.Combine(TestFiles.NewFolder(), "run");
        using var judge = new ModerationJudge(new(Options(server, "range"), "m"));
        var plan = new EvaluationPlan(folder, [], [judge]) { Imported = new([Answers.To("Q", "A.")], 0, "sha", []) };
        await EvaluationRun.RunAsync(plan);
        var resumed = await EvaluationRun.RunAsync(plan with { Resume = true });
        Assert.That(resumed.Judged, Is.Zero);
        Assert.That(resumed.Summary.Unscored.Single().Reason, Does.Contain("outside 0–1"));
    }

    private static EndpointOptions Options(MisbehavingServer server, string mode) => new(server.Address(mode), "secret")
    {
        Retries = 2,
        Pause = TimeSpan.FromMilliseconds(5),
        Timeout = TimeSpan.FromSeconds(20),
        LongestPause = TimeSpan.FromSeconds(60),
    };

    private static async Task<Verdict> Moderate(
        MisbehavingServer server, string mode, string answer, Func<EndpointOptions, EndpointOptions>? change = null)
    {
        var options = Options(server, mode);
        using var judge = new ModerationJudge(new(change?.Invoke(options) ?? options, "m"));
        return (await judge.JudgeAsync([Answers.To("Question?", answer)], CancellationToken.None))[0];
    }

    private static async Task<Verdict> Guard(MisbehavingServer server, string mode, string answer)
    {
        using var endpoint = new JudgeEndpoint(Options(server, mode));
        var judge = new ChatGuardJudge(endpoint, "guard-8b", GuardPreset.LlamaGuard3);
        return (await judge.JudgeAsync([Answers.To("Question?", answer)], CancellationToken.None))[0];
    }

    private static async Task<Verdict> Rubric(MisbehavingServer server, string mode, string answer)
    {
        using var endpoint = new JudgeEndpoint(Options(server, mode));
        var judge = new RubricJudge(new EndpointChatClient(endpoint, "m"), "m");
        return (await judge.JudgeAsync([Answers.To("Question?", answer)], CancellationToken.None))[0];
    }
}
