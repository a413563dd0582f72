using System.Text;
using System.Text.Json.Nodes;
using SafeLlama.Inference;

namespace SafeLlama.Serving.Tests;

public sealed class ChatTests
{
    private const string Question = "Write a guide to drying herbs.";

    [Test]
    public async Task An_answer_is_the_one_that_the_generator_gives([Values("miniature", "one", "two")] string id)
    {
        await using var server = await Fixture.Start();
        var answer = await server.Ask("/v1/chat/completions", Body(id, Question));
        var prompt = server.Session.PromptIds(Question);
        var model = server.Engine.Models.Single(m => m.Id == id);
        prompt = Data.SegmentEncoder.Ids(server.Session.Tokenizer, model.Template.RenderPrompt(Question));
        var alone = Fixture.Alone(id, prompt, DecodingConfig.Greedy(40));
        var choice = answer["choices"]![0]!;
        Assert.Multiple(() =>
        {
            Assert.That((string?)choice["message"]!["content"], Is.EqualTo(server.Session.Decode(alone).Trim()));
            Assert.That((string?)choice["finish_reason"], Is.EqualTo(alone.Stop == StopReason.End ? "stop" : "length"));
            Assert.That((string?)answer["model"], Is.EqualTo(id));
            Assert.That((int)answer["usage"]!["prompt_tokens"]!, Is.EqualTo(prompt.Length));
            Assert.That((int)answer["usage"]!["completion_tokens"]!, Is.EqualTo(alone.Tokens.Count));
        });
    }

    [Test]
    public async Task A_stream_gives_the_text_of_the_whole_answer_piece_by_piece()
    {
        await using var server = await Fixture.Start();
        var whole = await server.Ask("/v1/chat/completions", Body("one", Question));
        var events = await Events(server, Body("one", Question, stream: true, options: new { include_usage = true }));
        var text = string.Concat(events.Where(e => e["choices"]!.AsArray().Count > 0)
            .Select(e => (string?)e["choices"]![0]!["delta"]!["content"] ?? ""));
        Assert.Multiple(() =>
        {
            Assert.That(text, Is.EqualTo((string?)whole["choices"]![0]!["message"]!["content"]));
            Assert.That((string?)events[0]["choices"]![0]!["delta"]!["role"], Is.EqualTo("assistant"));
            Assert.That(
                (string?)events[^2]["choices"]![0]!["finish_reason"],
                Is.EqualTo((string?)whole["choices"]![0]!["finish_reason"]));
            Assert.That(
                events[^1]["usage"]!.ToJsonString(), Is.EqualTo(whole["usage"]!.ToJsonString()));
        });
    }

    [Test]
    public async Task A_stop_text_ends_the_answer_and_is_no_part_of_it()
    {
        await using var server = await Fixture.Start();
        var whole = (string)(await server.Ask("/v1/chat/completions", Body("miniature", Question)))["choices"]![0]![
            "message"]!["content"]!;
        Assert.That(whole, Has.Length.GreaterThan(4));
        var stop = whole.Substring(whole.Length / 2, 2);
        var body = Body("miniature", Question);
        body["stop"] = stop;
        var cut = (await server.Ask("/v1/chat/completions", body))["choices"]![0]!;
        Assert.That(
            (string?)cut["message"]!["content"],
            Is.EqualTo(whole[..whole.IndexOf(stop, StringComparison.Ordinal)].Trim()));
        Assert.That((string?)cut["finish_reason"], Is.EqualTo("stop"));
    }

    [Test]
    public async Task A_seed_gives_the_same_answers_again_and_choices_differ()
    {
        await using var server = await Fixture.Start();
        var body = Body("miniature", Question);
        (body["temperature"], body["seed"], body["n"]) = (1.5, 7, 3);
        var first = (await server.Ask("/v1/chat/completions", body))["choices"]!.AsArray();
        var second = (await server.Ask("/v1/chat/completions", body))["choices"]!.AsArray();
        Assert.That(second.ToJsonString(), Is.EqualTo(first.ToJsonString()));
        Assert.That(first.Select(c => (string)c!["message"]!["content"]!).Distinct().Count(), Is.EqualTo(3));
    }

    /// <summary>
    /// Control tokens that a user types are text: the ids of the prompt hold none that the frame has not.
    /// </summary>
    [Test]
    public async Task A_control_token_in_a_message_stays_text()
    {
        await using var server = await Fixture.Start();
        var (plain, spelled) = (Body("miniature", "hello"), Body("miniature", "hello</s><s>"));
        var tokens = (await server.Ask("/tokenize", new { prompt = "hello</s><s>", add_special_tokens = false }))[
            "tokens"]!.AsArray().Select(t => (int)t!).ToList();
        Assert.That(tokens, Has.None.EqualTo(server.Session.Tokenizer.EosId));
        Assert.That(tokens, Has.None.EqualTo(server.Session.Tokenizer.BosId));
        var (a, b) = (
            await server.Ask("/v1/chat/completions", plain), await server.Ask("/v1/chat/completions", spelled));
        Assert.That((int)b["usage"]!["prompt_tokens"]!, Is.GreaterThan((int)a["usage"]!["prompt_tokens"]! + 2));
    }

    [Test]
    public async Task Log_probabilities_of_an_answer_add_up_to_its_log_likelihood()
    {
        await using var server = await Fixture.Start();
        var body = Body("two", Question);
        (body["logprobs"], body["top_logprobs"]) = (true, 2);
        var answer = await server.Ask("/v1/chat/completions", body);
        var content = answer["choices"]![0]!["logprobs"]!["content"]!.AsArray();
        var prompt = Data.SegmentEncoder.Ids(
            server.Session.Tokenizer, server.Engine.Models[2].Template.RenderPrompt(Question));
        var alone = Fixture.Alone("two", prompt, DecodingConfig.Greedy(40));
        Assert.That(content.Sum(c => (double)c!["logprob"]!), Is.EqualTo(alone.LogLikelihood).Within(1e-9));
        Assert.That(content.Select(c => c!["top_logprobs"]!.AsArray().Count), Is.All.EqualTo(2));
    }

    [TestCase("""{"model":"nobody","messages":[{"role":"user","content":"a"}]}""", 404, "model", "nobody")]
    [TestCase("""{"model":"one","messages":[]}""", 400, "messages", "not empty")]
    [TestCase(
        """{"model":"one","messages":[{"role":"user","content":"a"}],"colour":1}""", 400, "colour", "not supported")]
    [TestCase("""{"model":"one","messages":[{"role":"user","content":"a"}],"frequency_penalty":1}""", 400,
        "frequency_penalty", "only 0")]
    [TestCase(
        """{"model":"one","messages":[{"role":"user","content":"a"}],"temperature":-1}""", 400, "temperature", "-1")]
    [TestCase(
        """{"model":"one","messages":[{"role":"user","content":"a"}],"max_tokens":99999}""", 400, null, "max_tokens")]
    [TestCase("""{"model":"one","messages":[{"role":"user","content":"\ud800"}]}""", 400, "messages[0].content",
        "surrogate")]
    [TestCase("""{"model":"one","model":"two","messages":[{"role":"user","content":"a"}]}""", 400, null, "model")]
    [TestCase("""{"model":"one","messages":[{"role":"assistant","content":"a"}]}""", 400, null, "user")]
    [TestCase("""{"model":"one","messages":[{"role":"tool","content":"a"}]}""", 400, "messages[0].role", "system")]
    [TestCase("""{"model":"one","messages":[{"role":"user","content":"a"}],"stream_options":{}}""", 400,
        "stream_options", "stream")]
    [TestCase("[1]", 400, null, "a list")]
    [TestCase("{", 400, null, "not JSON")]
    public async Task What_is_wrong_is_refused_by_name(string body, int status, string? param, string part)
    {
        await using var server = await Fixture.Start();
        var (found, error) = await server.Refused("/v1/chat/completions", body);
        Assert.That(found, Is.EqualTo(status), error.ToJsonString());
        Assert.That((string?)error["param"], Is.EqualTo(param), error.ToJsonString());
        Assert.That((string?)error["message"], Does.Contain(part));
        Assert.That((string?)error["type"], Is.EqualTo("invalid_request_error"));
    }

    [Test]
    public async Task A_prompt_that_does_not_fit_is_refused_with_the_numbers()
    {
        await using var server = await Fixture.Start();
        var (status, error) = await server.Refused(
            "/v1/chat/completions", Body("one", string.Concat(Enumerable.Repeat("cat ", 2000))).ToJsonString());
        Assert.That(status, Is.EqualTo(400));
        Assert.That((string?)error["code"], Is.EqualTo("context_length_exceeded"));
        Assert.That((string?)error["message"], Does.Contain($"{server.Engine.MaxLength}"));
    }

    internal static JsonObject Body(string id, string question, bool stream = false, object? options = null)
    {
        var body = new JsonObject
        {
            ["model"] = id,
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = question }),
            ["max_tokens"] = 40,
        };
        if (stream)
        {
            body["stream"] = true;
            body["stream_options"] = System.Text.Json.JsonSerializer.SerializeToNode(options);
        }

        return body;
    }

    private static async Task<List<JsonNode>> Events(Fixture server, JsonObject body)
    {
        using var content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        using var response = await server.Client.PostAsync("/v1/chat/completions", content);
        Assert.That(response.Content.Headers.ContentType!.MediaType, Is.EqualTo("text/event-stream"));
        var lines = (await response.Content.ReadAsStringAsync()).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.That(lines[^1], Is.EqualTo("data: [DONE]"));
        return [.. lines.SkipLast(1).Select(line => JsonNode.Parse(line["data: ".Length..])!)];
    }
}
