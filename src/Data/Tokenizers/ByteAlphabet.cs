using System.Text;

namespace SafeLlama.Data;

/// <summary>
/// GPT-2's way to print bytes: each of the 256 has a visible character, so that JSON can hold any token.
/// </summary>
/// <remarks>
/// Printable Latin-1 stands for itself; the other 68 bytes are U+0100, U+0101, … in order, so a space is Ġ.
/// </remarks>
internal static class ByteAlphabet
{
    private static readonly char[] Characters = Build();

    private static readonly Dictionary<char, byte> Values =
        Enumerable.Range(0, 256).ToDictionary(b => Characters[b], b => (byte)b);

    /// <summary>The bytes as characters U+0000 … U+00FF: what byte-level tokens are looked up by.</summary>
    public static string Latin1(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    /// <summary>
    /// The bytes a printed token stands for, as <see cref="Latin1"/>; null if a character is none of the 256.
    /// </summary>
    public static string? Parse(string printed)
    {
        var bytes = new char[printed.Length];
        for (var i = 0; i < printed.Length; i++)
        {
            if (!Values.TryGetValue(printed[i], out var value))
            {
                return null;
            }

            bytes[i] = (char)value;
        }

        return new string(bytes);
    }

    /// <summary>Bytes, as <see cref="Latin1"/>, printed.</summary>
    public static string Print(string latin1) => string.Create(latin1.Length, latin1, static (printed, bytes) =>
    {
        for (var i = 0; i < printed.Length; i++)
        {
            printed[i] = Characters[bytes[i]];
        }
    });

    private static char[] Build()
    {
        var characters = new char[256];
        var next = '\u0100';
        for (var b = 0; b < 256; b++)
        {
            characters[b] = b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or >= 0xAE ? (char)b : next++;
        }

        return characters;
    }
}
