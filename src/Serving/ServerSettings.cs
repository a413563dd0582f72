using System.Net;
using SafeLlama.Common;

namespace SafeLlama.Serving;

/// <summary>How a server listens, and what it refuses.</summary>
public sealed record ServerSettings
{
    /// <summary>The address to listen on; from other machines only where it is named.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>0 takes a free one.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>The most bytes of a request's body.</summary>
    public int MaxBody { get; init; } = 1 << 20;

    /// <summary>Web pages of these origins may ask; none where empty, all with <c>*</c>.</summary>
    public IReadOnlyList<string> Cors { get; init; } = [];

    /// <summary>What clients must send as a bearer token; null for nothing.</summary>
    public string? ApiKey { get; init; }

    /// <summary>How tokens are chosen where a request names no temperature; 0 takes the likeliest.</summary>
    public double Temperature { get; init; }

    /// <summary>How long answers under way may take once the server is told to stop.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether this machine alone can ask.</summary>
    public bool IsLoopback => IsThisMachine(Host);

    /// <summary>Whether a name, as the Host header has it, is this machine's own and no other can take it.</summary>
    public static bool IsThisMachine(string host)
    {
        var name = host.TrimEnd('.').TrimStart('[').TrimEnd(']');
        return name.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(name, out var address) && IPAddress.IsLoopback(address));
    }

    /// <exception cref="SafeLlamaException">A setting is out of range.</exception>
    public void Validate()
    {
        static void Require(bool fine, string setting, object value, string expected)
        {
            if (!fine)
            {
                throw SafeLlamaException.Usage($"`{setting}` {value}: expected {expected}.");
            }
        }

        Require(Port is >= 0 and <= 65_535, nameof(Port), Port, "0 (a free one) to 65535");
        Require(MaxBody >= 1024, nameof(MaxBody), MaxBody, "at least 1024 bytes");
        Require(Temperature is >= 0 and <= 100, nameof(Temperature), Temperature, "0 (likeliest token) to 100");
        Require(
            Host == "localhost" || IPAddress.TryParse(Host, out _), nameof(Host), Host,
            "localhost or an address, such as 127.0.0.1, or 0.0.0.0 for all");
        if (ApiKey is { } key && key != key.Trim())
        {
            throw SafeLlamaException.Usage(
                "The API key begins or ends with white space, which no client can send; leave the white space out.");
        }

        Require(
            Cors.All(o => o == "*" || Uri.TryCreate(o, UriKind.Absolute, out _)), nameof(Cors), string.Join(' ', Cors),
            "origins, such as https://example.org, or *");
    }
}
