using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SafeLlama.Evaluation.Tests;

/// <summary>A real HTTP server on the loopback that answers each request as the next line of its script says.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<int, string?> _script;
    private readonly Task _serving;

    /// <param name="script">The whole reply to request n, from 0; null hangs, an empty text closes the
    /// connection.</param>
    public ScriptedServer(Func<int, string?> script)
    {
        _script = script;
        _listener.Start();
        _serving = Serve();
    }

    public List<string> Requests { get; } = [];

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/v1");

    public static string Reply(int status, string body, string headers = "") =>
        $"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: "
        + $"{Encoding.UTF8.GetByteCount(body)}\r\n"
        + $"{headers}Connection: close\r\n\r\n{body}";

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _serving;
        _listener.Stop();
        _stop.Dispose();
    }

    private async Task Serve()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                connections.Add(Handle(await _listener.AcceptTcpClientAsync(_stop.Token)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task Handle(TcpClient connection)
    {
        using var client = connection;
        try
        {
            var stream = client.GetStream();
            var request = await ReadRequest(stream);
            int number;
            lock (Requests)
            {
                number = Requests.Count;
                Requests.Add(request);
            }

            if (_script(number) is { } reply)
            {
                await stream.WriteAsync(Encoding.UTF8.GetBytes(reply), _stop.Token);
            }
            else
            {
                await Task.Delay(Timeout.Infinite, _stop.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The client went away, or the test is over.
        }
    }

    private async Task<string> ReadRequest(NetworkStream stream)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        while (!IsWhole(text.ToString()))
        {
            var read = await stream.ReadAsync(buffer, _stop.Token);
            if (read == 0)
            {
                break;
            }

            text.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }

        return text.ToString();
    }

    private static bool IsWhole(string text)
    {
        var head = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (head < 0)
        {
            return false;
        }

        var length = text[..head].Split("\r\n").Select(l => l.Split(": ", 2))
            .Where(l => l[0].Equals("Content-Length", StringComparison.OrdinalIgnoreCase)).Select(l => int.Parse(l[1]))
            .FirstOrDefault();
        return Encoding.UTF8.GetByteCount(text[(head + 4)..]) >= length;
    }
}
