using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace SafeLlama.Serving;

/// <summary>The key that clients must send.</summary>
internal sealed class ApiKey(string key)
{
    private const string Scheme = "Bearer ";

    private readonly byte[] _hash = Hash(key);

    /// <summary>Whether a request has the key; hashes of one length are compared, in constant time.</summary>
    public bool IsIn(HttpRequest request)
    {
        var sent = request.Headers.Authorization.ToString();
        return sent.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            && CryptographicOperations.FixedTimeEquals(Hash(sent[Scheme.Length..].Trim()), _hash);
    }

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
