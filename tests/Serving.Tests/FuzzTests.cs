using System.Text;
using System.Text.Json.Nodes;
using SafeLlama.Common;

namespace SafeLlama.Serving.Tests;

/// <summary>Bodies that are wrong in ten thousand ways: each gets an answer, and never one of the 500s.</summary>
public sealed class FuzzTests
{
    private const int Bodies = 10_000;

    private static readonly string[] Paths =
        ["/v1/chat/completions", "/v1/completions", "/v1/moderations", "/tokenize", "/detokenize"];

    private static readonly string[] Seeds =
    [
        """{"model":"one","messages":[{"role":"user","content":"a"}],"max_tokens":1,"stop":["x"],"n":1}""",
        """{"model":"two","prompt":[[1,5,6],[1,7]],"max_tokens":1,"logprobs":1,"echo":true,"stream":true}""",
        """{"input":["a","b"],"prompt":"c"}""",
        """{"prompt":"text","add_special_tokens":false}""",
        """{"tokens":[1,2,3]}""",
    ];

    /// <summary>What replaces a value: every kind of JSON, and numbers at the edges.</summary>
    private static readonly string[] Values =
    [
        "null", "true", "[]", "{}", "\"\"", "\"\\ud800\"", "\"\\u0000\"", "-1", "0", "1e308", "1e999", "2147483648",
        "9223372036854775808", "0.1", "[[[[]]]]", "[null]", "[1e3]", "{\"a\":{\"b\":[1]}}", "\"\\uD83D\\uDE00\"", "nan",
    ];

    [Test]
    public async Task Malformed_bodies_get_a_message_and_never_a_fault_of_the_server()
    {
        var faults = new List<string>();
        await using var server = await Fixture.Start(
            new() { MaxTokens = 4 }, judge: new ServerTests.LengthJudge(), log: faults.Add);
        var (statuses, draw) = (new SortedDictionary<int, int>(), Philox.Stream(1, "fuzz"));
        await Parallel.ForAsync(0, Bodies, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, cancel) =>
        {
            var path = Paths[i % Paths.Length];
            var body = Mutate(Encoding.UTF8.GetBytes(Seeds[i % Seeds.Length]), draw.Fork(i));
            using var content = new ByteArrayContent(body);
            content.Headers.ContentType = new("application/json");
            using var response = await server.Client.PostAsync(path, content, cancel);
            var text = await response.Content.ReadAsStringAsync(cancel);
            var (status, shown) = ((int)response.StatusCode, Encoding.UTF8.GetString(body));
            Assert.That(status, Is.EqualTo(200).Or.InRange(400, 499), $"{path} {shown}: {text}");
            if (status != 200)
            {
                Assert.That((string?)JsonNode.Parse(text)!["error"]!["message"], Is.Not.Empty, shown);
            }

            lock (statuses)
            {
                statuses[status] = statuses.GetValueOrDefault(status) + 1;
            }
        });
        TestContext.Out.WriteLine(string.Join(", ", statuses.Select(s => $"{s.Key}: {s.Value}")));
        Assert.That(faults, Is.Empty);
        Assert.That(statuses[400], Is.GreaterThan(Bodies / 2), "most bodies are wrong");
        Assert.That(() => (server.Engine.Busy, server.Engine.Waiting), Is.EqualTo((0, 0)).After(10_000, 20));
        var fine = ChatTests.Body("one", "a");
        fine.Remove("max_tokens");
        await server.Ask("/v1/chat/completions", fine);
    }

    /// <summary>One to three changes: a value, bytes, a cut, a doubled part.</summary>
    private static byte[] Mutate(byte[] body, Philox draw)
    {
        for (var change = 0; change < 1 + draw.Below(0, 3); change++)
        {
            var at = 10 * (change + 1);
            int Below(int place, int limit) => draw.Below(at + place, Math.Max(1, limit));
            var (first, length) = (Below(1, body.Length), Below(2, 12));
            var end = Math.Min(body.Length, first + length);
            body = Below(0, 6) switch
            {
                0 => Replaced(body, Below(3, 40), Values[Below(4, Values.Length)]),
                1 => [.. body[..first], (byte)Below(3, 256), .. body[first..]],
                2 => body[..first],
                3 => [.. body[..first], .. body[end..]],
                4 => [.. body[..end], .. body[first..]],
                _ => Replaced(body, Below(3, 40), Values[Below(4, Values.Length)]),
            };
        }

        return body;
    }

    /// <summary>The n-th value behind a colon, as far as the next comma or brace, becomes another.</summary>
    private static byte[] Replaced(byte[] body, int n, string value)
    {
        var colons = Enumerable.Range(0, body.Length).Where(i => body[i] == (byte)':').ToList();
        if (colons.Count == 0)
        {
            return body;
        }

        var from = colons[n % colons.Count] + 1;
        var to = Array.FindIndex(body, from, b => b is (byte)',' or (byte)'}');
        return [.. body[..from], .. Encoding.UTF8.GetBytes(value), .. body[(to < 0 ? body.Length : to)..]];
    }
}
