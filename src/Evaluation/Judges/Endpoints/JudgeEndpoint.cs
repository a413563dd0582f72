using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>Calls a server: waits as long as it asks, retries, and gives up where a retry is useless.</summary>
/// <remarks>
/// Temporary failures (rate limits, server errors, timeouts) are retried and then reported as temporary. A failure of a
/// single request is reported as permanent. A failure that affects every request (a refused key, a missing path, or a
/// redirect, which could send answers elsewhere) stops the run.
/// </remarks>
public sealed partial class JudgeEndpoint : IDisposable
{
    private const int LargestReply = 16 << 20;

    private readonly EndpointOptions _options;
    private readonly HttpClient _client;
    private string? _exhausted;

    public JudgeEndpoint(EndpointOptions options)
    {
        _options = options;
        _client = new(new SocketsHttpHandler
        {
            AutomaticDecompression = DecompressionMethods.All,
            AllowAutoRedirect = false,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
            MaxResponseContentBufferSize = LargestReply,
        };
        if (options.Key is { } key)
        {
            _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }
    }

    public EndpointOptions Options => _options;

    /// <summary>Posts a request and returns the JSON of the reply.</summary>
    /// <param name="path">Below the address, such as <c>moderations</c>.</param>
    /// <param name="body">Serialized with its property names as they are.</param>
    /// <exception cref="EndpointException">There is no reply to this question.</exception>
    /// <exception cref="SafeLlamaException">There will be no reply to any question.</exception>
    public async Task<JsonDocument> PostAsync(string path, object body, CancellationToken cancellation)
    {
        if (_exhausted is not null)
        {
            throw new EndpointException(_exhausted, isTemporary: true);
        }

        for (var tries = 1; ; tries++)
        {
            var (reply, fault) = await TryAsync(path, body, cancellation);
            using var owned = reply;
            if (reply?.IsSuccessStatusCode == true)
            {
                return await ParseAsync(reply, cancellation);
            }

            if (reply is not null)
            {
                await StopOrGiveUpAsync(reply, path, cancellation);
            }

            var asked = reply is null ? null : RetryPause.Asked(reply.Headers, DateTimeOffset.UtcNow);
            if (asked > _options.LongestPause)
            {
                throw new EndpointException(
                    $"{fault}, and asks to wait longer than {_options.LongestPause.TotalSeconds:0} s", true);
            }

            if (tries > _options.Retries)
            {
                throw new EndpointException($"{fault}, after {tries} {(tries == 1 ? "try" : "tries")}", true);
            }

            await Task.Delay(Shorter(asked ?? _options.Pause * Math.Pow(2, tries - 1)), cancellation);
        }
    }

    public void Dispose() => _client.Dispose();

    private TimeSpan Shorter(TimeSpan pause) => pause < _options.LongestPause ? pause : _options.LongestPause;

    /// <summary>One try: returns the whole reply or the failure.</summary>
    private async Task<(HttpResponseMessage? Reply, string Fault)> TryAsync(
        string path, object body, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(_options.Timeout);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, _options.Call(path));
            request.Content = JsonContent.Create(body);
            var reply = await _client.SendAsync(request, limit.Token);
            return (reply, reply.StatusCode == HttpStatusCode.TooManyRequests
                ? "the endpoint limits the rate (429)"
                : $"the endpoint answered {(int)reply.StatusCode}");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return (null, "the endpoint did not answer in time");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return (null, "the endpoint could not be reached");
        }
    }

    /// <summary>Returns where a further try makes sense.</summary>
    private async Task StopOrGiveUpAsync(HttpResponseMessage reply, string path, CancellationToken cancellation)
    {
        var status = (int)reply.StatusCode;
        switch (status)
        {
            case 401 or 403:
                throw SafeLlamaException.Usage(
                    $"{_options.Shown}: the endpoint refuses the key ({status}); "
                    + $"set the right one in the environment.");
            case 404:
                throw SafeLlamaException.Usage(
                    $"{_options.Shown}: has no {path}, or not the model that was named (404).");
            case >= 300 and < 400:
                throw SafeLlamaException.Usage(
                    $"{_options.Shown}: redirects elsewhere ({status}), and answers are not sent there. Name the final "
                    + "address.");
        }

        var code = await CodeAsync(reply, cancellation);
        if (status == 402 || code == "insufficient_quota")
        {
            _exhausted = $"the endpoint's quota is used up ({status})";
            throw new EndpointException(_exhausted, isTemporary: true);
        }

        if (status is not (408 or 425 or 429 or >= 500))
        {
            throw new EndpointException(
                $"the endpoint answered {status}{(code.Length > 0 ? $" ({code})" : "")}", isTemporary: false);
        }
    }

    /// <summary>The machine-readable code of an error, where it is a plain word; messages are untrusted text.</summary>
    private static async Task<string> CodeAsync(HttpResponseMessage reply, CancellationToken cancellation)
    {
        try
        {
            using var json = await ParseAsync(reply, cancellation);
            return json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.Object
                && error.TryGetProperty("code", out var code) && code.ValueKind == JsonValueKind.String
                && PlainCode().IsMatch(code.GetString()!) ? code.GetString()! : "";
        }
        catch (EndpointException)
        {
            return "";
        }
    }

    private static async Task<JsonDocument> ParseAsync(HttpResponseMessage reply, CancellationToken cancellation)
    {
        var bytes = await reply.Content.ReadAsByteArrayAsync(cancellation);
        ReadOnlyMemory<byte> text = bytes;
        try
        {
            return JsonDocument.Parse(text.Span.StartsWith(Encoding.UTF8.Preamble) ? text[3..] : text);
        }
        catch (JsonException)
        {
            throw EndpointException.Malformed("is malformed");
        }
    }

    [GeneratedRegex("^[a-z0-9_.-]{1,60}$")]
    private static partial Regex PlainCode();
}
