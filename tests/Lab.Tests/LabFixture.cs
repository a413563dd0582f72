using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;

namespace SafeLlama.Lab.Tests;

/// <summary>A lab on a free port of this machine, and what it logs.</summary>
internal sealed class LabFixture : IAsyncDisposable
{
    private LabFixture(LabServer server, List<string> log)
    {
        (Server, Log) = (server, log);
        Client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false })
        {
            BaseAddress = server.Address,
            Timeout = TimeSpan.FromMinutes(2),
        };
    }

    public LabServer Server { get; }

    public HttpClient Client { get; }

    /// <summary>Lines the server wrote of its own faults.</summary>
    public List<string> Log { get; }

    public string Token => Server.Address.AbsolutePath.Trim('/');

    public static async Task<LabFixture> Start(LabSettings? settings = null)
    {
        var log = new List<string>();
        var server = new LabServer((settings ?? new()) with { Threads = 2 }, log.Add);
        await server.StartAsync();
        return new(server, log);
    }

    public async Task<JsonNode> Ask(string path, object body)
    {
        using var response = await Client.PostAsJsonAsync("api/" + path, body);
        var text = await response.Content.ReadAsStringAsync();
        Assert.That((int)response.StatusCode, Is.EqualTo(200), text);
        return JsonNode.Parse(text)!;
    }

    /// <summary>Every event of a stream that ends.</summary>
    public async Task<List<JsonNode>> Events(string path, object body)
    {
        using var response = await Client.PostAsJsonAsync("api/" + path, body);
        var text = await response.Content.ReadAsStringAsync();
        Assert.That((int)response.StatusCode, Is.EqualTo(200), text);
        return [.. text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries)
            .Select(part => JsonNode.Parse(part["data: ".Length..])!)];
    }

    /// <summary>The status of a request with a body as it stands, and the message of its refusal.</summary>
    public async Task<(int Status, string Message)> Refused(
        string path, string body, string type = "application/json")
    {
        using var content = new StringContent(body, Encoding.UTF8, type);
        using var response = await Client.PostAsync("api/" + path, content);
        var text = await response.Content.ReadAsStringAsync();
        return ((int)response.StatusCode, text.StartsWith('{')
            ? JsonNode.Parse(text)!["error"]!["message"]!.GetValue<string>() : text);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
    }
}
