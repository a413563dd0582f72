using System.Security.Cryptography;
using System.Text;

namespace SafeLlama.Common;

/// <summary>SHA-256 of contents, in lower-case hexadecimal, as manifests carry it.</summary>
public static class ContentHash
{
    public static string OfText(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    public static string OfBytes(ReadOnlySpan<byte> content) => Convert.ToHexStringLower(SHA256.HashData(content));

    public static string OfFile(string path)
    {
        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
