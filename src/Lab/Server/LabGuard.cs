using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using SafeLlama.Serving;

namespace SafeLlama.Lab;

/// <summary>Lets in who has the address that the program printed, from its own pages only.</summary>
/// <remarks>
/// <para>Every address begins with a random token. A page of another origin knows none, so it can neither read nor
/// write; Host, Origin and Sec-Fetch-Site are checked all the same, against a name that was made to point here and
/// against a token that leaked.</para>
/// <para>A browser is started with an address of its own that works once: other users of this machine can read the
/// arguments of a program.</para>
/// </remarks>
internal sealed class LabGuard
{
    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        + "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private readonly byte[] _hash;
    private string? _ticket = Random();

    public LabGuard() => _hash = Hash(Token);

    /// <summary>The first part of every address: 256 random bits.</summary>
    public string Token { get; } = Random();

    /// <summary>An address below the server's that leads in, once.</summary>
    public string TicketPath => $"open/{_ticket}";

    /// <summary>Checks a request and takes the token off its path.</summary>
    /// <exception cref="ApiException">It is refused.</exception>
    /// <returns>Where to go instead; null where the request may go on.</returns>
    public string? Admit(HttpContext context)
    {
        var (request, headers) = (context.Request, context.Response.Headers);
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.CacheControl = "no-store";

        if (!ServerSettings.IsThisMachine(request.Host.Host) || request.Host.Port != context.Connection.LocalPort)
        {
            throw new ApiException(403, "The lab listens for this machine alone; ask it as 127.0.0.1.");
        }

        if (request.Headers.Origin.ToString() is { Length: > 0 } origin && origin != $"http://{request.Host}")
        {
            throw new ApiException(403, "Pages of other origins may not ask the lab.");
        }

        if (request.Headers["Sec-Fetch-Site"].ToString() is not ("" or "same-origin" or "none"))
        {
            throw new ApiException(403, "The lab opens from the address that the program printed, not from a link.");
        }

        var path = request.Path.Value ?? "/";
        var end = path.IndexOf('/', 1);
        var first = end < 0 ? path[1..] : path[1..end];
        if (first == "open" && end > 0)
        {
            return Enter(path[(end + 1)..]);
        }

        if (path.Length < 2 || !CryptographicOperations.FixedTimeEquals(Hash(first), _hash))
        {
            throw new ApiException(403, "The address lacks the lab's token; open the one that the program printed.");
        }

        if (end < 0)
        {
            return $"/{Token}/";
        }

        request.PathBase = path[..end];
        request.Path = path[end..];
        return null;
    }

    private string Enter(string ticket)
    {
        var mine = _ticket;
        if (mine is null || !CryptographicOperations.FixedTimeEquals(Hash(ticket), Hash(mine))
            || Interlocked.CompareExchange(ref _ticket, null, mine) != mine)
        {
            throw new ApiException(403, "This address works once; open the one that the program printed.");
        }

        return $"/{Token}/";
    }

    private static string Random() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
