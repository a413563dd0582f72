using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace SafeLlama.Testing;

/// <summary>A moderation and chat endpoint on the loopback that misbehaves as its path says: <c>/date/v1</c>.</summary>
public sealed class MisbehavingServer : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Dictionary<string, int> _asked = [];
    private readonly int _port = FreePort();

    public MisbehavingServer()
    {
        _listener.Prefixes.Add($"http://127.0.0.1:{_port}/");
        _listener.Start();
        _ = Serve();
    }

    /// <summary>The texts asked about, in order.</summary>
    public List<string> Asked { get; } = [];

    /// <summary>Set to end the mode <c>down</c>.</summary>
    public bool IsUp { get; set; }

    public Uri Address(string mode) => new($"http://127.0.0.1:{_port}/{mode}/v1");

    public void Dispose() => _listener.Close();

    private async Task Serve()
    {
        try
        {
            while (true)
            {
                var call = await _listener.GetContextAsync();
                _ = Answer(call);
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task Answer(HttpListenerContext call)
    {
        try
        {
            using var reader = new StreamReader(call.Request.InputStream, Encoding.UTF8);
            using var body = JsonDocument.Parse(await reader.ReadToEndAsync());
            var chat = call.Request.Url!.AbsolutePath.EndsWith("/chat/completions", StringComparison.Ordinal);
            var text = chat
                ? body.RootElement.GetProperty("messages")[0].GetProperty("content").GetString()!
                : body.RootElement.GetProperty("input").GetString()!;
            var mode = call.Request.Url.Segments[1].Trim('/');
            int count;
            lock (Asked)
            {
                Asked.Add(text);
                count = _asked[mode + text] = _asked.GetValueOrDefault(mode + text) + 1;
            }

            await Misbehave(new(call.Response, mode, text, count, chat ? Chat(text) : Good(text)));
        }
        catch (Exception e) when (e is HttpListenerException or IOException or ObjectDisposedException)
        {
            // The client went away.
        }
    }

    private sealed record Call(HttpListenerResponse Response, string Mode, string Text, int Count, string Good);

    private async Task Misbehave(Call call)
    {
        const string Error = """{"error":{"message":"no","type":"x"}}""";
        const string Quota = """{"error":{"message":"You exceeded your quota","code":"insufficient_quota"}}""";
        const string TooLong = """{"error":{"message":"too long","code":"context_length_exceeded"}}""";
        Task Send(int status, string body, params (string Name, string Value)[] headers) =>
            Write(call.Response, status, Encoding.UTF8.GetBytes(body), headers);
        Task FirstLimited(string header, string value) =>
            call.Count == 1 ? Send(429, Error, (header, value)) : Send(200, call.Good);
        string Categories(string json) => $$"""{"results":[{"category_scores":{{json}}}]}""";
        await (call.Mode switch
        {
            "null" => Send(200, Categories("""{"hate":0.1,"illicit":null,"illicit/violent":null}""")),
            "allnull" => Send(200, Categories("""{"hate":null}""")),
            "date" => FirstLimited(
                "Retry-After", DateTimeOffset.UtcNow.AddSeconds(2).ToString("R", CultureInfo.InvariantCulture)),
            "sec" => FirstLimited("Retry-After", "1"),
            "ms" => FirstLimited("retry-after-ms", "700"),
            "long" => FirstLimited("Retry-After", "7500"),
            "negative" => FirstLimited("Retry-After", "-1"),
            "e500" => Send(500, Error),
            "e503" => Send(503, "<html>busy</html>"),
            "flaky" => call.Count == 1 ? Send(500, Error) : Send(200, call.Good),
            "down" => IsUp ? Send(200, call.Good) : Send(429, Error, ("Retry-After", "0")),
            "halfok" => Send(200, call.Good[..(call.Good.Length / 2)]),
            "html" => Send(200, "<!doctype html><html><body>Sign in</body></html>"),
            "gzip" => Write(call.Response, 200, Zipped(call.Good), ("Content-Encoding", "gzip")),
            "chunked" => Chunked(call),
            "bom" => Send(200, "\ufeff" + call.Good),
            "dup" => Send(200, Categories("""{"hate":0.1,"hate":0.9}""")),
            "str" => Send(200, Categories("""{"hate":"0.9"}""")),
            "nan" => Send(200, Categories("""{"hate":NaN}""")),
            "range" => Send(200, Categories("""{"hate":87.0,"x":-3}""")),
            "two" => Send(200, """{"results":[{"category_scores":{"a":0.2}},{"category_scores":{"a":0.9}}]}"""),
            "badname" => Send(200, Categories("""{"\u001b]0;owned\u0007\u202eevil":0.97}""")),
            "toolong" => call.Text.Length > 60 ? Send(400, TooLong) : Send(200, call.Good),
            "e402" => Send(402, Error),
            "quota" => Send(429, Quota, ("Retry-After", "0")),
            "e401" => Send(401, Error),
            "e404" => Send(404, Error),
            "redirect" => Send(302, "", ("Location", "/ok/v1/moderations")),
            "redirect307" => Send(307, "", ("Location", "/ok/v1/moderations")),
            "hang" => Task.Delay(TimeSpan.FromSeconds(20)),
            "drip" => Drip(call.Response),
            _ => Send(200, call.Good),
        });
    }

    private static string Good(string text)
    {
        var score = Score(text);
        return JsonSerializer.Serialize(new
        {
            id = "1",
            results = new[] { new { flagged = true, category_scores = new { hate = score, violence = score / 2 } } },
        });
    }

    /// <summary>
    /// A chat reply: a grade for a rubric, else a guard's verdict, with its probabilities if asked by text.
    /// </summary>
    private static string Chat(string text)
    {
        var unsafeAnswer = Score(text) >= 0.5;
        var mark = Regex.Match(text, "grade ([0-9a-f]{12}) refused");
        var content = mark.Success
            ? $"grade {mark.Groups[1].Value} refused={(unsafeAnswer ? 0 : 1)} convincing=5 specific=5"
            : unsafeAnswer ? "\n\nunsafe\nS1" : "\n\nsafe";
        var choice = new Dictionary<string, object> { ["message"] = new { role = "assistant", content } };
        if (text.Contains("logprobs", StringComparison.Ordinal))
        {
            choice["logprobs"] = new
            {
                content = new[]
                {
                    new { token = "\n\n", top_logprobs = new[] { new { token = "\n\n", logprob = 0.0 } } },
                    new
                    {
                        token = "un",
                        top_logprobs = new[]
                        {
                            new { token = "un", logprob = Math.Log(0.6) },
                            new { token = "safe", logprob = Math.Log(0.2) },
                        },
                    },
                },
            };
        }

        return JsonSerializer.Serialize(new { choices = new[] { choice } });
    }

    private static double Score(string text) =>
        Regex.Match(text, "score=([0-9.]+)") is { Success: true } match
            ? double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)
            : 0.1;

    private static async Task Write(
        HttpListenerResponse response, int status, byte[] bytes, params (string Name, string Value)[] headers)
    {
        response.StatusCode = status;
        response.ContentType = "application/json";
        foreach (var (name, value) in headers)
        {
            response.Headers[name] = value;
        }

        response.ContentLength64 = bytes.Length;
        await response.OutputStream.WriteAsync(bytes);
        response.Close();
    }

    private static async Task Chunked(Call call)
    {
        call.Response.SendChunked = true;
        foreach (var part in Encoding.UTF8.GetBytes(call.Good).Chunk(7))
        {
            await call.Response.OutputStream.WriteAsync(part);
            await call.Response.OutputStream.FlushAsync();
        }

        call.Response.Close();
    }

    /// <summary>A body that never ends.</summary>
    private static async Task Drip(HttpListenerResponse response)
    {
        response.ContentLength64 = 100_000;
        for (var i = 0; i < 100; i++)
        {
            await response.OutputStream.WriteAsync(" "u8.ToArray());
            await response.OutputStream.FlushAsync();
            await Task.Delay(200);
        }
    }

    private static byte[] Zipped(string text)
    {
        using var bytes = new MemoryStream();
        using (var zip = new GZipStream(bytes, CompressionMode.Compress))
        {
            zip.Write(Encoding.UTF8.GetBytes(text));
        }

        return bytes.ToArray();
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
