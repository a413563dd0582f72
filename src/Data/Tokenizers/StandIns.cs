using System.Globalization;
using System.Text;

namespace SafeLlama.Data;

/// <summary>
/// One UTF-16 unit for each character beyond U+FFFF, so that an expression for code points can match.
/// </summary>
/// <remarks>
/// Two characters of the same general category that lie within the same ranges of an expression are alike to it. Each
/// such class gets a lone surrogate, which no text holds, to stand in for it.
/// </remarks>
internal sealed class StandIns
{
    private const int Categories = 30;
    private const int Surrogates = 0x800;

    private readonly int[] _starts;
    private readonly int[] _classes;
    private readonly Dictionary<int, int> _examples;

    private StandIns(int[] starts, int[] classes)
    {
        (_starts, _classes) = (starts, classes);
        _examples = classes.Distinct().ToDictionary(found => found, found => starts[Array.IndexOf(classes, found)]);
    }

    /// <summary>The stand-ins for the expression's sets; null where it has too many ranges to tell apart.</summary>
    public static StandIns? For(IReadOnlyList<CharacterSet> sets)
    {
        int[] starts =
        [
            .. sets.SelectMany(set => set.Ranges).SelectMany(range => new[] { range.From, range.To + 1 })
                .Where(at => at is > 0x10000 and <= 0x10FFFF).Append(0x10000).Distinct().Order(),
        ];
        var numbers = new Dictionary<string, int>();
        var classes = new int[starts.Length];
        for (var i = 0; i < starts.Length; i++)
        {
            var within = string.Concat(sets.Select(set => set.Lists(starts[i]) ? '1' : '0'));
            numbers.TryAdd(within, numbers.Count);
            classes[i] = numbers[within];
        }

        return numbers.Count * Categories <= Surrogates ? new StandIns(starts, classes) : null;
    }

    /// <summary>One character for each code point, and where each begins in the text (with the text's end).</summary>
    public (string Shadow, int[] Starts) Shadow(ReadOnlySpan<char> text)
    {
        var shadow = new StringBuilder(text.Length);
        var starts = new List<int>(text.Length + 1);
        var at = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            shadow.Append(rune.IsBmp
                ? (char)rune.Value
                : Of(Class(rune.Value), Rune.GetUnicodeCategory(rune)));
            starts.Add(at);
            at += rune.Utf16SequenceLength;
        }

        starts.Add(at);
        return (shadow.ToString(), [.. starts]);
    }

    /// <summary>The stand-ins that a set holds, as ranges.</summary>
    public IEnumerable<(char From, char To)> In(CharacterSet set)
    {
        foreach (var (number, example) in _examples)
        {
            if (set.Lists(example))
            {
                yield return (Of(number, 0), Of(number, (UnicodeCategory)(Categories - 1)));
                continue;
            }

            for (var category = 0; category < Categories; category++)
            {
                if (set.Holds((UnicodeCategory)category))
                {
                    var character = Of(number, (UnicodeCategory)category);
                    yield return (character, character);
                }
            }
        }
    }

    private static char Of(int number, UnicodeCategory category) =>
        (char)(0xD800 + (number * Categories) + (int)category);

    private int Class(int codePoint)
    {
        var at = Array.BinarySearch(_starts, codePoint);
        return _classes[at >= 0 ? at : ~at - 1];
    }
}
