using System.Buffers;
using System.Globalization;
using System.Text;

namespace SafeLlama.Data;

/// <summary>Finds added tokens in a text before anything else happens to it.</summary>
/// <remarks>
/// As Hugging Face's tokenizers 0.23 does it with <c>encode_special_tokens</c>: the leftmost, then longest spelling is
/// taken; first those of the text as it stands, then those of the normalized text. A control token's spelling is passed
/// over as text.
/// </remarks>
internal sealed class AddedTokens
{
    private readonly TextNormalizer _normalizer;
    private readonly Dictionary<char, List<(string Spelling, AddedToken Token)>> _raw;
    private readonly Dictionary<char, List<(string Spelling, AddedToken Token)>> _normalized;
    private readonly Dictionary<int, AddedToken> _byId;

    public AddedTokens(IReadOnlyList<AddedToken> tokens, TextNormalizer normalizer)
    {
        _normalizer = normalizer;
        _byId = tokens.ToDictionary(token => token.Id);
        _raw = ByFirst(tokens.Where(token => !token.Normalized).Select(token => (token.Content, token)));
        _normalized = ByFirst(tokens.Where(token => token.Normalized)
            .Select(token => (normalizer.Apply(token.Content), token)));
    }

    public static AddedTokens None { get; } = new([], TextNormalizer.None);

    /// <summary>How many tokens a text may hold.</summary>
    public int FoundInText => _byId.Values.Count(token => token.Kind == TokenKind.Added);

    public AddedToken? Of(int id) => _byId.GetValueOrDefault(id);

    /// <summary>Every rule beyond a spelling and a kind, for the hash.</summary>
    public IEnumerable<string> Settings() => _byId.Values.OrderBy(token => token.Id)
        .Where(token => token.Kind == TokenKind.Added || token.StripsLeft || token.StripsRight)
        .Select(token => $"added {token.Id} word {token.SingleWord} left {token.StripsLeft} "
            + $"right {token.StripsRight} normalized {token.Normalized}");

    /// <summary>The text in parts: ids of added tokens, and normalized text between them.</summary>
    /// <returns><c>Start</c> is the place of the part in the text, which tells the first part from later
    /// ones.</returns>
    public IEnumerable<(int? Id, string Text, int Start)> Split(string text)
    {
        foreach (var (id, start, end) in Matches(text, _raw))
        {
            if (id is not null)
            {
                yield return (id, "", start);
                continue;
            }

            var part = _normalizer.Apply(text[start..end]);
            foreach (var (inner, from, to) in Matches(part, _normalized))
            {
                yield return (inner, inner is null ? part[from..to] : "", start + from);
            }
        }
    }

    private static Dictionary<char, List<(string Spelling, AddedToken Token)>> ByFirst(
        IEnumerable<(string Spelling, AddedToken Token)> tokens) => tokens.Where(token => token.Spelling.Length > 0)
            .GroupBy(token => token.Spelling[0])
            .ToDictionary(group => group.Key, group => group.OrderByDescending(t => t.Spelling.Length).ToList());

    private static IEnumerable<(int? Id, int Start, int End)> Matches(
        string text, Dictionary<char, List<(string Spelling, AddedToken Token)>> tokens)
    {
        var done = 0;
        for (var at = 0; at < text.Length && tokens.Count > 0;)
        {
            if (Longest(text, at, tokens) is not { } found)
            {
                at++;
                continue;
            }

            var (start, end, token) = (at, at + found.Spelling.Length, found.Token);
            at = end;
            if (token.Kind != TokenKind.Added || (token.SingleWord && IsInsideWord(text, start, end)))
            {
                continue;
            }

            start = token.StripsLeft ? Math.Max(SpacesBefore(text, start), done) : start;
            end = token.StripsRight ? SpacesBehind(text, end) : end;
            if (done < start)
            {
                yield return (null, done, start);
            }

            yield return (token.Id, start, end);
            done = end;
        }

        if (done < text.Length)
        {
            yield return (null, done, text.Length);
        }
    }

    private static (string Spelling, AddedToken Token)? Longest(
        string text, int at, Dictionary<char, List<(string Spelling, AddedToken Token)>> tokens)
    {
        foreach (var candidate in tokens.GetValueOrDefault(text[at]) ?? [])
        {
            if (string.CompareOrdinal(text, at, candidate.Spelling, 0, candidate.Spelling.Length) == 0)
            {
                return candidate;
            }
        }

        return null;
    }

    private static int SpacesBefore(string text, int at)
    {
        while (at > 0 && char.IsWhiteSpace(text[at - 1]))
        {
            at--;
        }

        return at;
    }

    private static int SpacesBehind(string text, int at)
    {
        while (at < text.Length && char.IsWhiteSpace(text[at]))
        {
            at++;
        }

        return at;
    }

    private static bool IsInsideWord(string text, int start, int end) =>
        (start > 0 && Rune.DecodeLastFromUtf16(text.AsSpan(0, start), out var before, out _) == OperationStatus.Done
            && IsWord(before))
        || (end < text.Length && Rune.DecodeFromUtf16(text.AsSpan(end), out var behind, out _) == OperationStatus.Done
            && IsWord(behind));

    /// <summary>Rust's <c>\w</c>: alphabetic characters, marks, decimal digits, connectors, joiners.</summary>
    private static bool IsWord(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        <= UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation => true,
        UnicodeCategory.Format => rune.Value is 0x200C or 0x200D,
        UnicodeCategory.OtherSymbol => rune.Value is (>= 0x24B6 and <= 0x24E9) or (>= 0x1F130 and <= 0x1F149)
            or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189),
        _ => false,
    };
}
