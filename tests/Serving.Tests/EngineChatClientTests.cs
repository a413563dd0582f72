using Microsoft.Extensions.AI;
using SafeLlama.Common;
using SafeLlama.Inference;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Serving.Tests;

public sealed class EngineChatClientTests
{
    [Test]
    public async Task The_sample_of_the_page_answers()
    {
        var (model, adapter) = (Fixture.ModelFolder, Fixture.AdapterFolder("one"));
        // docs:serve:client
        using var session = LlamaSession.Open(new CpuBackend(threads: 2), model, new() { Choices = [adapter] });
        var models = ServedModel.Of(session, model, [("tuned", adapter)], "auto", Console.WriteLine);
        using var engine = new ServingEngine(session, models, new EngineSettings { Slots = 4 });
        using IChatClient client = new EngineChatClient(engine, "tuned");
        Console.WriteLine(await client.GetResponseAsync("Write a guide to drying herbs."));
        // end
        var prompt = Data.SegmentEncoder.Ids(
            session.Tokenizer, models[1].Template.RenderPrompt("Write a guide to drying herbs."));
        var answer = await client.GetResponseAsync("Write a guide to drying herbs.", new() { MaxOutputTokens = 20 });
        using var alone = LlamaSession.Open(new CpuBackend(1), model, new() { Adapter = adapter, OwnsBackend = true });
        var expected = new Generator(alone.Model, alone.Decoding(DecodingConfig.Greedy(20))).Generate([prompt])[0];
        Assert.That(answer.Text, Is.EqualTo(alone.Decode(expected).Trim()));
        Assert.That(answer.Usage!.OutputTokenCount, Is.EqualTo(expected.Tokens.Count));
        Assert.That(answer.ModelId, Is.EqualTo("tuned"));
    }

    [Test]
    public void What_is_not_supported_is_refused()
    {
        var (session, engine) = Fixture.Open();
        using (session)
        using (engine)
        {
            using var client = new EngineChatClient(engine, "one");
            Assert.That(
                () => client.GetResponseAsync("a", new() { ResponseFormat = ChatResponseFormat.Json }),
                Throws.TypeOf<SafeLlamaException>().With.Message.Contains("ResponseFormat"));
            Assert.That(
                () => client.GetResponseAsync("a", new() { ModelId = "nobody" }),
                Throws.TypeOf<SafeLlamaException>().With.Message.Contains("nobody"));
            Assert.That(
                () => client.GetResponseAsync(new ChatMessage(ChatRole.Tool, "a")),
                Throws.TypeOf<SafeLlamaException>().With.Message.Contains("tool"));
        }
    }

    [Test]
    [Category("Docs")]
    public void The_page_shows_the_compiled_code() => DocSnippets.Check("serve.md");
}
