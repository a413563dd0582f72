using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>What becomes of an expression's matches and of what lies between them.</summary>
internal enum SplitBehavior
{
    /// <summary>Matches are words, and so is what lies between.</summary>
    Isolated,

    /// <summary>Matches that touch are one word.</summary>
    Contiguous,

    /// <summary>A match ends the word before it.</summary>
    MergedWithPrevious,

    /// <summary>A match begins the word behind it.</summary>
    MergedWithNext,

    /// <summary>Matches are left out of the text.</summary>
    Removed,
}

/// <summary>One division of a text into words.</summary>
/// <param name="Pattern">Oniguruma's expression.</param>
/// <param name="Behavior">What becomes of its matches.</param>
/// <param name="Invert">Whether what lies between counts as matches instead.</param>
internal sealed record SplitRule(string Pattern, SplitBehavior Behavior = SplitBehavior.Isolated, bool Invert = false)
{
    /// <summary>A bound on memory: a compiled expression takes some 100 KB, a model has a handful.</summary>
    private const int MostExpressions = 100;

    private static readonly ConcurrentDictionary<string, Regex> Known = new(StringComparer.Ordinal);

    private SplitPattern? _read;
    private Regex? _plain;
    private Regex? _shadowed;

    /// <exception cref="FormatException">The expression holds what is not computed.</exception>
    public void Compile() => (_read, _plain) = (SplitPattern.Parse(Pattern), Expression(Read.Plain));

    private SplitPattern Read => _read ??= SplitPattern.Parse(Pattern);

    /// <summary>Divides each of <paramref name="words"/>, in code points of the text or its UTF-16 units.</summary>
    public List<(int Start, int Length)> Split(string text, List<(int Start, int Length)> words)
    {
        if (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
        {
            return Each(_plain ??= Expression(Read.Plain), text, words);
        }

        var (shadow, starts) = Read.StandIns.Shadow(text);
        var places = words.ConvertAll(word => (
            Start: Array.BinarySearch(starts, word.Start),
            End: Array.BinarySearch(starts, word.Start + word.Length)));
        return Each(
            _shadowed ??= Expression(Read.Shadowed),
            shadow,
            places.ConvertAll(place => (place.Start, place.End - place.Start)))
            .ConvertAll(word => (starts[word.Start], starts[word.Start + word.Length] - starts[word.Start]));
    }

    private static Regex Expression(string pattern)
    {
        if (!Known.TryGetValue(pattern, out var expression))
        {
            expression = new Regex(
                pattern, RegexOptions.Compiled | RegexOptions.CultureInvariant, TimeSpan.FromSeconds(5));
            if (Known.Count < MostExpressions)
            {
                Known.TryAdd(pattern, expression);
            }
        }

        return expression;
    }

    private List<(int Start, int Length)> Each(Regex expression, string text, List<(int Start, int Length)> words)
    {
        var finer = new List<(int Start, int Length)>((text.Length / 4) + 1);
        foreach (var (start, length) in words)
        {
            var pieces = Pieces(expression, text.AsSpan(start, length));
            foreach (var (from, to) in Joined(pieces).Where(piece => piece.To > piece.From))
            {
                finer.Add((start + from, to - from));
            }
        }

        return finer;
    }

    /// <summary>The whole word in pieces, each a match or not.</summary>
    private List<(int From, int To, bool IsMatch)> Pieces(Regex expression, ReadOnlySpan<char> word)
    {
        var pieces = new List<(int From, int To, bool IsMatch)>();
        var end = 0;
        try
        {
            foreach (var match in expression.EnumerateMatches(word))
            {
                if (match.Index > end)
                {
                    pieces.Add((end, match.Index, Invert));
                }

                pieces.Add((match.Index, match.Index + match.Length, !Invert));
                end = Math.Max(end, match.Index + match.Length);
            }
        }
        catch (RegexMatchTimeoutException e)
        {
            throw SafeLlamaException.InvalidData(
                $"The tokenizer's pattern \"{UnicodeText.Shown(Pattern)}\" took longer than "
                + $"{e.MatchTimeout.TotalSeconds:0} s on one word. Use the model's original tokenizer.", e);
        }

        if (end < word.Length)
        {
            pieces.Add((end, word.Length, Invert));
        }

        return pieces;
    }

    private IEnumerable<(int From, int To)> Joined(List<(int From, int To, bool IsMatch)> pieces)
    {
        var from = -1;
        for (var i = 0; i < pieces.Count; i++)
        {
            var piece = pieces[i];
            if (Behavior == SplitBehavior.Removed)
            {
                if (!piece.IsMatch)
                {
                    yield return (piece.From, piece.To);
                }

                continue;
            }

            from = from < 0 ? piece.From : from;
            var joins = i + 1 < pieces.Count && Behavior switch
            {
                SplitBehavior.Contiguous => piece.IsMatch == pieces[i + 1].IsMatch,
                SplitBehavior.MergedWithPrevious => !piece.IsMatch && pieces[i + 1].IsMatch,
                SplitBehavior.MergedWithNext => piece.IsMatch && !pieces[i + 1].IsMatch,
                _ => false,
            };
            if (!joins)
            {
                yield return (from, piece.To);
                from = -1;
            }
        }
    }
}
