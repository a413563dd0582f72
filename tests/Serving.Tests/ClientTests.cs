using System.ClientModel;
using OpenAI;
using OpenAI.Chat;
using SafeLlama.Inference;
using SafeLlama.Testing;

namespace SafeLlama.Serving.Tests;

/// <summary>Clients that people use, as they come from their registries.</summary>
public sealed class ClientTests
{
    private const string Question = "Write a guide to drying herbs.";
    private const string Key = "a key of the test";

    [Test]
    public async Task The_openai_package_chats_streams_and_lists()
    {
        await using var server = await Fixture.Start(settings: new() { ApiKey = Key });
        var options = new OpenAIClientOptions { Endpoint = new Uri(server.Server.Address, "v1") };
        var client = new OpenAIClient(new ApiKeyCredential(Key), options);
        var models = (await client.GetOpenAIModelClient().GetModelsAsync()).Value;
        Assert.That(models.Select(m => m.Id), Is.EqualTo(Fixture.Ids));
        var chat = client.GetChatClient("two");
        var asked = new ChatCompletionOptions
        {
            MaxOutputTokenCount = 30,
            Temperature = 0,
            IncludeLogProbabilities = true,
        };
        ChatMessage[] messages = [new UserChatMessage(Question)];
        var whole = (await chat.CompleteChatAsync(messages, asked)).Value;
        var expected = Expected(server, "two", 30);
        Assert.That(whole.Content[0].Text, Is.EqualTo(expected));
        Assert.That(whole.ContentTokenLogProbabilities, Has.Count.EqualTo(whole.Usage.OutputTokenCount));
        var (text, reason, tokens) = ("", (ChatFinishReason?)null, 0);
        await foreach (var update in chat.CompleteChatStreamingAsync(messages, asked))
        {
            text += string.Concat(update.ContentUpdate.Select(c => c.Text));
            reason ??= update.FinishReason;
            tokens = update.Usage?.OutputTokenCount ?? tokens;
        }

        Assert.That((text, reason, tokens), Is.EqualTo((expected, whole.FinishReason, whole.Usage.OutputTokenCount)));
    }

    [Test]
    public async Task The_openai_package_shows_what_is_wrong()
    {
        await using var server = await Fixture.Start(settings: new() { ApiKey = Key });
        ChatClient Client(string model, string key) => new(
            model, new ApiKeyCredential(key), new() { Endpoint = new Uri(server.Server.Address, "v1") });
        var missing = (await Assert.ThrowsAsync<ClientResultException>(
            () => Client("nobody", Key).CompleteChatAsync(new UserChatMessage("a"))))!;
        Assert.That(missing.Status, Is.EqualTo(404));
        Assert.That(missing.Message, Does.Contain("model_not_found").And.Contain("nobody"));
        var locked = (await Assert.ThrowsAsync<ClientResultException>(
            () => Client("one", "another").CompleteChatAsync(new UserChatMessage("a"))))!;
        Assert.That(locked.Status, Is.EqualTo(401));
    }

    /// <summary>npm's <c>openai</c>, from the folder that a variable names: <c>.ci/run</c> installs it there.</summary>
    [Test]
    public async Task The_openai_package_of_npm_chats_streams_and_completes()
    {
        var folder = Environment.GetEnvironmentVariable("SAFELLAMA_NPM");
        if (folder is not { Length: > 0 } || !Directory.Exists(Path.Combine(folder, "node_modules", "openai")))
        {
            Assert.Ignore("npm's openai is not here: SAFELLAMA_NPM names a folder in which it is installed.");
        }

        await using var server = await Fixture.Start();
        var script = Path.Combine(TestFiles.NewFolder(), "client.mjs");
        File.WriteAllText(script, $$"""
            import { createRequire } from 'node:module';
            const OpenAI = createRequire('{{Path.GetFullPath(folder)}}/')('openai');
            const client = new OpenAI({ apiKey: 'none', baseURL: '{{server.Server.Address}}v1', maxRetries: 0 });
            const messages = [{ role: 'user', content: '{{Question}}' }];
            const out = {};
            out.models = (await client.models.list()).data.map(m => m.id);
            out.chat = (await client.chat.completions.create({ model: 'one', messages, max_completion_tokens: 30 }))
              .choices[0].message.content;
            const stream = client.chat.completions.stream({ model: 'one', messages, max_completion_tokens: 30 });
            out.stream = await stream.finalContent();
            out.completion = '';
            for await (const part of await client.completions.create(
              { model: 'one', prompt: 'The fox', max_tokens: 8, stream: true })) {
              out.completion += part.choices[0]?.text ?? '';
            }
            try { await client.chat.completions.create({ model: 'nobody', messages }); }
            catch (e) { out.error = [e.status, e.code, e.message]; }
            console.log(JSON.stringify(out));
            """);
        using var node = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("node", script)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var (output, error) = (node.StandardOutput.ReadToEndAsync(), node.StandardError.ReadToEndAsync());
        await node.WaitForExitAsync();
        Assert.That(node.ExitCode, Is.Zero, await error);
        var found = System.Text.Json.Nodes.JsonNode.Parse(await output)!;
        var expected = Expected(server, "one", 30);
        int[] ids = [server.Session.Tokenizer.BosId!.Value, .. server.Session.Tokenizer.Encode("The fox")];
        Assert.Multiple(() =>
        {
            Assert.That(found["models"]!.AsArray().Select(m => (string?)m), Is.EqualTo(Fixture.Ids));
            Assert.That((string?)found["chat"], Is.EqualTo(expected));
            Assert.That((string?)found["stream"], Is.EqualTo(expected));
            Assert.That(
                (string?)found["completion"],
                Is.EqualTo(server.Session.Continuation(ids, Fixture.Alone("one", ids, DecodingConfig.Greedy(8)))));
            Assert.That((int)found["error"]![0]!, Is.EqualTo(404));
            Assert.That((string?)found["error"]![1], Is.EqualTo("model_not_found"));
        });
    }

    private static string Expected(Fixture server, string id, int tokens)
    {
        var model = server.Engine.Models.Single(m => m.Id == id);
        var prompt = Data.SegmentEncoder.Ids(server.Session.Tokenizer, model.Template.RenderPrompt(Question));
        return server.Session.Decode(Fixture.Alone(id, prompt, DecodingConfig.Greedy(tokens))).Trim();
    }
}
