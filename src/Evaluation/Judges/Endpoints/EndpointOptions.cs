using System.Text.RegularExpressions;
using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>A server that judges, and how to call it.</summary>
/// <param name="Address">The base address, such as <c>https://api.openai.com/v1</c>.</param>
/// <param name="Key">The key; the caller takes it from the environment and it is written nowhere. Null sends
/// none.</param>
public sealed record EndpointOptions(Uri Address, string? Key)
{
    /// <summary>Tries after the first.</summary>
    public int Retries { get; init; } = 4;

    /// <summary>How long one try may take, its body included.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The first pause; each further one is twice as long, unless the server says otherwise.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest pause that is accepted from a server; a longer one is not waited for.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>The address without its query, which may hold a key: what files and messages show.</summary>
    public string Shown => Address.GetComponents(
        UriComponents.Scheme | UriComponents.HostAndPort | UriComponents.Path, UriFormat.UriEscaped).TrimEnd('/');

    /// <summary>The address of one call.</summary>
    public Uri Call(string path) =>
        new UriBuilder(Address) { Path = Address.AbsolutePath.TrimEnd('/') + "/" + path }.Uri;

    /// <summary>Reads an address that a person gave.</summary>
    /// <exception cref="SafeLlamaException">It is no http or https address, or holds a name and a password; neither is
    /// shown.</exception>
    public static Uri Parse(string setting, string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
        {
            throw SafeLlamaException.Usage(
                $"`{setting}` {WithoutCredentials(text)}: is no http or https address.");
        }

        return address.UserInfo.Length == 0
            ? address
            : throw SafeLlamaException.Usage(
                $"`{setting}` {WithoutCredentials(text)}: holds credentials, which would be kept with the run. Leave "
                + "them out and set the key in the environment.");
    }

    private static string WithoutCredentials(string text) =>
        Regex.Replace(Regex.Replace(text, "//[^/]*@", "//"), "[?#].*", "");
}
