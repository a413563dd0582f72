using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Serving.Tests;

/// <summary>Streams side by side over loopback, some of them broken off.</summary>
[NonParallelizable]
public sealed class LoadTests
{
    private const int Streams = 64;

    /// <summary>The share of answers that are broken off midway.</summary>
    private const double Aborted = 0.2;

    /// <summary>A busy machine takes longer than the given time to finish so many.</summary>
    private const int Fewest = 21;

    [Test]
    public Task Every_finished_answer_is_the_one_given_alone_and_nothing_is_left_behind() =>
        Load(TimeSpan.FromSeconds(6));

    [Test]
    [Slow("a minute of load")]
    public Task A_minute_of_load_leaves_nothing_behind() => Load(TimeSpan.FromSeconds(60));

    private static async Task Load(TimeSpan time)
    {
        await using var server = await Fixture.Start(new() { Slots = 16, Queue = 16 });
        var bodies = Enumerable.Range(0, 24).Select(Body).ToList();
        var alone = new List<string>();
        foreach (var body in bodies)
        {
            alone.Add((await Answer(server, body, stopAfter: null))!);
        }

        Assert.That(alone.Distinct().Count(), Is.GreaterThan(12), "answers that differ");
        await Round(server, bodies, alone, TimeSpan.FromSeconds(time.TotalSeconds / 6));
        var before = Memory();
        var (finished, broken, turned) = await Round(server, bodies, alone, time);
        Assert.That(() => (server.Engine.Busy, server.Engine.Waiting), Is.EqualTo((0, 0)).After(60_000, 20));
        var after = Memory();
        TestContext.Out.WriteLine(
            $"{finished} finished, {broken} broken off, {turned} turned away in {time.TotalSeconds} s; "
            + $"{before / 1e6:0.0} MB before, {after / 1e6:0.0} MB after");
        Assert.That(finished, Is.GreaterThanOrEqualTo(Fewest));
        Assert.That(broken, Is.GreaterThan(0));
        Assert.That(turned, Is.GreaterThan(0), "back-pressure: 64 streams for 32 places");

        // The heap after a collection: what requests leave behind would grow with their number.
        Assert.That(after - before, Is.LessThan(8 << 20));
    }

    private static async Task<(int Finished, int Broken, int Turned)> Round(
        Fixture server, List<JsonObject> bodies, List<string> alone, TimeSpan time)
    {
        var (finished, broken, turned, began) = (0, 0, 0, Stopwatch.GetTimestamp());
        await Task.WhenAll(Enumerable.Range(0, Streams).Select(stream => Task.Run(async () =>
        {
            var draw = Philox.Stream(stream, "load");
            for (var i = 0L; Stopwatch.GetElapsedTime(began) < time || Volatile.Read(ref finished) < Fewest; i++)
            {
                var which = draw.Below(3 * i, bodies.Count);
                int? stopAfter = draw.Uniform((3 * i) + 1) < Aborted ? draw.Below((3 * i) + 2, 4) : null;
                var text = await Answer(server, bodies[which], stopAfter);
                if (text is null)
                {
                    Interlocked.Increment(ref turned);
                    await Task.Delay(50);
                }
                else if (stopAfter is not null)
                {
                    Interlocked.Increment(ref broken);
                }
                else
                {
                    Interlocked.Increment(ref finished);
                    Assert.That(text, Is.EqualTo(alone[which]), bodies[which].ToJsonString());
                }
            }
        })));
        return (finished, broken, turned);
    }

    /// <summary>The text of a streamed answer; null where the server had no room.</summary>
    /// <param name="stopAfter">After so many events the connection is closed.</param>
    private static async Task<string?> Answer(Fixture server, JsonObject body, int? stopAfter)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"),
        };
        using var response = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        if ((int)response.StatusCode == 429)
        {
            return null;
        }

        Assert.That((int)response.StatusCode, Is.EqualTo(200));
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        var (text, events) = (new StringBuilder(), 0);
        while (await reader.ReadLineAsync() is { } line && line != "data: [DONE]")
        {
            if (line.Length == 0)
            {
                continue;
            }

            if (events++ == stopAfter)
            {
                break;
            }

            var part = JsonNode.Parse(line["data: ".Length..])!;
            Assert.That(part["error"], Is.Null, line);
            text.Append((string?)part["choices"]![0]!["delta"]!["content"]);
        }

        return text.ToString();
    }

    private static JsonObject Body(int i)
    {
        var body = ChatTests.Body(Fixture.Ids[i % 3], $"Explain how a fox and {i} owls write a poem.");
        body["stream"] = true;
        body["max_tokens"] = 20 + (i * 4);
        (body["temperature"], body["seed"]) = (i % 3 == 0 ? 0 : 2.5, i);
        return body;
    }

    private static long Memory()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return GC.GetTotalMemory(forceFullCollection: true);
    }
}
