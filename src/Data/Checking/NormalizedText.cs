using System.Text;

namespace SafeLlama.Data;

/// <summary>A text reduced to its words: lower case, no punctuation, one space between words.</summary>
public static class NormalizedText
{
    /// <summary>The words joined by single spaces; two texts with the same form say the same to the letter.</summary>
    public static string Of(string text)
    {
        var words = new StringBuilder(text.Length);
        var gap = false;
        foreach (var rune in text.Normalize(NormalizationForm.FormC).EnumerateRunes())
        {
            if (Rune.IsLetterOrDigit(rune))
            {
                words.Append(gap && words.Length > 0 ? " " : "").Append(Rune.ToLowerInvariant(rune).ToString());
                gap = false;
            }
            else
            {
                // An apostrophe joins ("don't" and "dont" are one word); everything else parts.
                gap |= rune.Value is not ('\'' or '’');
            }
        }

        return words.ToString();
    }

    /// <summary>The distinct words of a normalized text.</summary>
    public static string[] Words(string normalized) =>
        normalized.Length == 0 ? [] : [.. normalized.Split(' ').Distinct(StringComparer.Ordinal)];
}
