using System.Runtime.InteropServices;
using System.Text;

namespace SafeLlama.Data;

/// <summary>The distinct words of training text and how often each occurs.</summary>
/// <remarks>
/// A word is a run of letters and their marks, with the ▁ before it if there is one; every other character stands for
/// itself, digits too, so that a number is read digit by digit. Whether two neighbors belong together depends on those
/// two alone. No learned merge can therefore reach across words, and an encoder that knows nothing of words divides a
/// text as training did.
/// </remarks>
internal static class TrainingWords
{
    /// <summary>
    /// Letters without end (a protein, a hash) are cut here, or one word would cost as much as the corpus.
    /// </summary>
    private const int LongestWord = 64;

    public static Dictionary<string, long> Count(IEnumerable<string> texts)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        var lookup = counts.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var text in texts)
        {
            if (text.Length == 0)
            {
                continue;
            }

            var pieces = SentencePieceForm.Space
                + UnicodeText.WellFormed(text).Replace(' ', SentencePieceForm.Space);
            for (var start = 0; start < pieces.Length;)
            {
                var length = WordLength(pieces.AsSpan(start));
                CollectionsMarshal.GetValueRefOrAddDefault(lookup, pieces.AsSpan(start, length), out _)++;
                start += length;
            }
        }

        return counts;
    }

    /// <summary>The length of the word that <paramref name="text"/> begins with.</summary>
    private static int WordLength(ReadOnlySpan<char> text)
    {
        Rune.DecodeFromUtf16(text, out var rune, out var length);
        var open = IsLetter(rune) || rune.Value == SentencePieceForm.Space;
        while (open && length < text.Length && length < LongestWord)
        {
            Rune.DecodeFromUtf16(text[length..], out rune, out var more);
            open = IsLetter(rune);
            length += open ? more : 0;
        }

        return length;
    }

    private static bool IsLetter(Rune rune) => Rune.IsLetter(rune)
        || Rune.GetUnicodeCategory(rune) is System.Globalization.UnicodeCategory.NonSpacingMark
            or System.Globalization.UnicodeCategory.SpacingCombiningMark
            or System.Globalization.UnicodeCategory.EnclosingMark;
}
