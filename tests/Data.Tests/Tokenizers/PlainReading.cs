using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace SafeLlama.Data.Tests.Tokenizers;

/// <summary>
/// A second reading of <c>tokenizer.json</c>, small and plain: rules in their order, no cache, no queue, no shortcut.
/// </summary>
/// <remarks>
/// It shares no code with the product. It computes what the product accepts; what the product refuses it need not know.
/// Expressions go to .NET as they stand, so texts hold no character beyond U+FFFF.
/// </remarks>
internal sealed class PlainReading
{
    private readonly JsonObject _model;
    private readonly Dictionary<string, int> _vocabulary = [];
    private readonly Dictionary<string, int> _text;
    private readonly List<PlainToken> _added;
    private readonly List<(string A, string B)> _merges = [];
    private readonly List<JsonObject> _normalizers;
    private readonly List<JsonObject> _steps;
    private readonly bool _bytes;
    private readonly string? _unknown;

    public PlainReading(JsonObject file, JsonObject config)
    {
        _model = file["model"]!.AsObject();
        _unknown = _model["unk_token"]?.GetValue<string>();
        foreach (var (token, id) in _model["vocab"]!.AsObject())
        {
            _vocabulary[token] = id!.GetValue<int>();
        }

        _added = PlainToken.All(file, config, _vocabulary);
        _normalizers = Flat(file["normalizer"], "normalizers");
        _steps = Flat(file["pre_tokenizer"], "pretokenizers");
        _bytes = _steps.Exists(step => Type(step) == "ByteLevel");
        _text = _vocabulary.Where(token => IsText(token.Key)).ToDictionary();
        foreach (var merge in _model["merges"]?.AsArray() ?? [])
        {
            string[] pair = merge is JsonArray parts
                ? [.. parts.Select(p => p!.GetValue<string>())] : merge!.GetValue<string>().Split(' ');
            _merges.Add((pair[0], pair[1]));
        }

        // Control tokens are no text: a merge that makes or uses one is left out, and keeps its place.
        for (var i = 0; i < _merges.Count; i++)
        {
            var (a, b) = _merges[i];
            _merges[i] = Text(a) is null || Text(b) is null || Text(a + b) is null ? ("", "") : (a, b);
        }
    }

    public IReadOnlyList<PlainToken> Added => _added;

    /// <summary>The ids of a text that begins a sequence; null where a character has no token.</summary>
    public List<int>? Encode(string text)
    {
        var ids = new List<int>();
        foreach (var (token, piece, first) in Cut(text, _added.Where(t => !t.Normalized), t => t.Content, true))
        {
            if (token is not null)
            {
                ids.Add(token.Id);
                continue;
            }

            foreach (var (inner, rest, begins) in
                Cut(Normalize(piece), _added.Where(t => t.Normalized), t => Normalize(t.Content), first))
            {
                if (inner is not null)
                {
                    ids.Add(inner.Id);
                }
                else if (!Words(rest, begins).All(word => TryJoin(word, ids)))
                {
                    return null;
                }
            }
        }

        return ids;
    }

    private static List<JsonObject> Flat(JsonNode? node, string name) => node is null ? []
        : Type(node.AsObject()) == "Sequence" ? [.. node[name]?.AsArray().Select(s => s!.AsObject()) ?? []]
        : [node.AsObject()];

    private static string Type(JsonObject step) => step["type"]!.GetValue<string>();

    private static bool Flag(JsonObject step, string name, bool otherwise) => step[name]?.GetValue<bool>() ?? otherwise;

    /// <summary>The text cut at added tokens: from the left, the longest that stands there.</summary>
    private static IEnumerable<(PlainToken? Token, string Text, bool First)> Cut(
        string text, IEnumerable<PlainToken> tokens, Func<PlainToken, string> spelling, bool first)
    {
        var longestFirst = tokens.Where(t => spelling(t).Length > 0).OrderByDescending(t => spelling(t).Length)
            .ToList();
        var done = 0;
        for (var at = 0; at < text.Length;)
        {
            var token = longestFirst.Find(t => text[at..].StartsWith(spelling(t), StringComparison.Ordinal));
            if (token is null)
            {
                at++;
                continue;
            }

            var (from, to) = (at, at + spelling(token).Length);
            at = to;
            if (token.Special || (token.SingleWord
                && (Regex.IsMatch(text[..from], @"\w\z") || Regex.IsMatch(text[to..], @"\A\w"))))
            {
                continue;
            }

            from = token.Left ? Math.Max(done, text[..from].TrimEnd().Length) : from;
            to = token.Right ? text.Length - text[to..].TrimStart().Length : to;
            if (from > done)
            {
                yield return (null, text[done..from], first && done == 0);
            }

            yield return (token, "", false);
            done = to;
        }

        if (done < text.Length)
        {
            yield return (null, text[done..], first && done == 0);
        }
    }

    private string Normalize(string text)
    {
        foreach (var step in _normalizers)
        {
            text = text.Length == 0 ? ""
                : Type(step) == "Prepend" ? step["prepend"]!.GetValue<string>() + text
                : text.Replace(step["pattern"]!["String"]!.GetValue<string>(), step["content"]!.GetValue<string>());
        }

        return text;
    }

    private List<string> Words(string text, bool first)
    {
        List<string> words = text.Length == 0 ? [] : [text];
        foreach (var step in _steps)
        {
            words = [.. words.SelectMany(word => Step(step, word, first)).Where(word => word.Length > 0)];
        }

        return !_bytes ? words
            : words.ConvertAll(word => string.Concat(Encoding.UTF8.GetBytes(word).Select(PlainBytes.Print)));
    }

    private static IEnumerable<string> Step(JsonObject step, string word, bool first)
    {
        switch (Type(step))
        {
            case "Metaspace":
                word = word.Replace(' ', '▁');
                var scheme = step["prepend_scheme"]?.GetValue<string>()
                    ?? (Flag(step, "add_prefix_space", true) ? "always" : "never");
                var puts = scheme == "always" || (scheme == "first" && first);
                word = puts && !word.StartsWith('▁') ? "▁" + word : word;
                return Flag(step, "split", true) ? Regex.Split(word, "(?=▁)") : [word];
            case "Digits":
                return Pieces(word, Flag(step, "individual_digits", false) ? @"\p{N}" : @"\p{N}+", "Isolated", false);
            case "Split":
                var pattern = step["pattern"]!["Regex"]?.GetValue<string>()
                    ?? Regex.Escape(step["pattern"]!["String"]!.GetValue<string>());
                return Pieces(word, pattern, step["behavior"]!.GetValue<string>(), Flag(step, "invert", false));
            default:
                word = Flag(step, "add_prefix_space", true) && !word.StartsWith(' ') ? " " + word : word;
                const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
                return Flag(step, "use_regex", true) ? Pieces(word, Gpt2, "Isolated", false) : [word];
        }
    }

    private static List<string> Pieces(string word, string pattern, string behavior, bool invert)
    {
        var pieces = new List<(string Text, bool Match)>();
        var end = 0;
        foreach (Match match in Regex.Matches(word, pattern))
        {
            pieces.Add((word[end..match.Index], invert));
            pieces.Add((match.Value, !invert));
            end = match.Index + match.Length;
        }

        pieces.Add((word[end..], invert));
        pieces.RemoveAll(piece => piece.Text.Length == 0 && !(piece.Match ^ invert));
        var joined = new List<string>();
        for (var i = 0; i < pieces.Count; i++)
        {
            var (text, match) = pieces[i];
            var before = i > 0 ? pieces[i - 1].Match : !match;
            var joins = i > 0 && behavior switch
            {
                "Contiguous" => match == before,
                "MergedWithPrevious" => match && !before,
                "MergedWithNext" => !match && before,
                _ => false,
            };
            if (joins)
            {
                joined[^1] += text;
            }
            else if (behavior != "Removed" || !match)
            {
                joined.Add(text);
            }
        }

        return joined;
    }

    private int? Text(string spelling) => _text.TryGetValue(spelling, out var id) ? id : null;

    /// <summary>Whether a text may become the token: no control token, no byte, not the unknown token.</summary>
    private bool IsText(string spelling) => spelling != _unknown
        && !_added.Exists(t => t.Special && t.Content == spelling)
        && (_bytes || !Regex.IsMatch(spelling, @"\A<0x[0-9A-F]{2}>\z"));

    private bool TryJoin(string word, List<int> ids)
    {
        if (Flag(_model, "ignore_merges", false) && Text(word) is { } whole)
        {
            ids.Add(whole);
            return true;
        }

        int? unknown = _unknown is not null && _vocabulary.TryGetValue(_unknown, out var found) ? found : null;
        var symbols = new List<(string Spelling, int Id)>();
        var waits = false;
        foreach (var character in word.EnumerateRunes().Select(rune => rune.ToString()))
        {
            var bytes = Encoding.UTF8.GetBytes(character).Select(b => $"<0x{b:X2}>").ToList();
            if (Text(character) is { } id)
            {
                symbols.AddRange(waits ? [("", unknown!.Value), (character, id)] : [(character, id)]);
                waits = false;
            }
            else if (Flag(_model, "byte_fallback", false) && bytes.TrueForAll(_vocabulary.ContainsKey))
            {
                symbols.AddRange(bytes.Select(b => ("", _vocabulary[b])));
            }
            else if (unknown is null)
            {
                return false;
            }
            else
            {
                symbols.AddRange(waits && !Flag(_model, "fuse_unk", false) ? [("", unknown.Value)] : []);
                waits = true;
            }
        }

        symbols.AddRange(waits ? [("", unknown!.Value)] : []);
        while (Best(symbols) is var best and >= 0)
        {
            var spelling = symbols[best].Spelling + symbols[best + 1].Spelling;
            symbols[best] = (spelling, Text(spelling)!.Value);
            symbols.RemoveAt(best + 1);
        }

        ids.AddRange(symbols.Select(symbol => symbol.Id));
        return true;
    }

    /// <summary>
    /// The leftmost of the pairs that were learned first; of a merge given twice the last place counts.
    /// </summary>
    private int Best(List<(string Spelling, int Id)> symbols)
    {
        var (best, rank) = (-1, int.MaxValue);
        for (var i = 0; i + 1 < symbols.Count; i++)
        {
            var place = symbols[i].Spelling.Length == 0 ? -1
                : _merges.LastIndexOf((symbols[i].Spelling, symbols[i + 1].Spelling));
            if (place >= 0 && place < rank)
            {
                (best, rank) = (i, place);
            }
        }

        return best;
    }
}
