using System.Globalization;
using System.Text;

namespace SafeLlama.Data;

/// <summary>
/// A pre-tokenizer's regular expression, read as Oniguruma reads it and written as .NET's engine needs it.
/// </summary>
/// <remarks>
/// The two differ in what classes hold, in POSIX brackets, possessive quantifiers, line anchors, the folding of
/// letters, and .NET's matches UTF-16 units. Every construct is understood here, or refused with its place.
/// </remarks>
internal sealed partial class SplitPattern
{
    private readonly string _pattern;
    private readonly List<object> _parts = [];
    private int _at;

    private SplitPattern(string pattern)
    {
        _pattern = pattern.Length > 0 ? pattern : throw Refused("nothing", 0);
        Alternatives(depth: 0, fold: false);
        StandIns = StandIns.For([.. _parts.OfType<CharacterSet>()])
            ?? throw Refused("too many classes of characters beyond U+FFFF", 0);
    }

    /// <summary>What stands for characters beyond U+FFFF when <see cref="Shadowed"/> is matched.</summary>
    public StandIns StandIns { get; }

    /// <summary>The expression for texts without surrogates.</summary>
    public string Plain => Written(null);

    /// <summary>The expression for shadows, see <see cref="Data.StandIns"/>.</summary>
    public string Shadowed => Written(StandIns);

    /// <exception cref="FormatException">It holds what is not computed; the message says what and where.</exception>
    public static SplitPattern Parse(string pattern) => new(pattern);

    private static FormatException Refused(string what, int at) => new($"{what} at character {at + 1}");

    private string Written(StandIns? standIns) =>
        string.Concat(_parts.Select(part => part is CharacterSet set ? set.ToPattern(standIns) : (string)part));

    private void Alternatives(int depth, bool fold)
    {
        if (depth > 50)
        {
            throw Refused("groups deeper than 50", _at);
        }

        while (_at < _pattern.Length && _pattern[_at] != ')')
        {
            var (start, at) = (_parts.Count, _at);
            switch (_pattern[_at])
            {
                case '|':
                    _at++;
                    _parts.Add("|");
                    continue;
                case '^':
                    _at++;
                    _parts.Add(@"(?:(?<![\s\S])|(?<=\n)(?=[\s\S]))"); // Ruby's ^ and $ are those of lines
                    continue;
                case '$':
                    _at++;
                    _parts.Add(@"(?=\n|(?![\s\S]))");
                    continue;
                case '(':
                    Group(depth, fold);
                    break;
                case '[':
                    _at++;
                    Add(Class(), fold, at);
                    break;
                case '.':
                    _at++;
                    _parts.Add(CharacterClasses.Negate(new CharacterSet().With("a"), true));
                    break;
                case '\\':
                    if (!Escape(fold))
                    {
                        continue;
                    }

                    break;
                case '*' or '+' or '?' or '{' or '}' or ']':
                    throw Refused($"'{_pattern[_at]}' without what it belongs to", _at);
                default:
                    Add(Single(Next()), fold, at);
                    break;
            }

            Quantifier(start);
        }

        if (depth == 0 && _at < _pattern.Length)
        {
            throw Refused("')' without '('", _at);
        }
    }

    private void Group(int depth, bool fold)
    {
        var at = _at;
        var rest = _pattern.AsSpan(_at);
        var open = new[] { "(?:", "(?i:", "(?=", "(?!", "(?<=", "(?<!", "(?>" }
            .FirstOrDefault(o => _pattern.AsSpan(at).StartsWith(o, StringComparison.Ordinal));
        if (open is null && rest.StartsWith("(?"))
        {
            throw Refused($"the group {rest[..Math.Min(rest.Length, 4)]}", _at);
        }

        _at += open?.Length ?? 1;
        _parts.Add(open is null or "(?i:" ? "(?:" : open);
        Alternatives(depth + 1, fold || open == "(?i:");
        if (_at >= _pattern.Length)
        {
            throw Refused("'(' without ')'", at);
        }

        _at++;
        _parts.Add(")");
    }

    /// <summary>Adds what a backslash names; false for a place, which takes no quantifier.</summary>
    private bool Escape(bool fold)
    {
        var at = _at;
        var letter = _at + 1 < _pattern.Length ? _pattern[_at + 1] : throw Refused("a lone backslash", _at);
        if (letter is 'A' or 'z')
        {
            _at += 2;
            _parts.Add($"\\{letter}");
            return false;
        }

        if (letter is 'b' or 'B')
        {
            _at += 2;
            var (yes, no) = letter == 'b' ? ("(?!", "(?=") : ("(?=", "(?!");
            _parts.AddRange(
            [
                "(?:(?<=", Word(), ")", yes, Word(), ")|(?<!", Word(), ")", no, Word(), "))",
            ]);
            return false;
        }

        Add(EscapedSet(), fold, at);
        return true;

        static CharacterSet Word() => CharacterClasses.Escape('w')!;
    }

    /// <summary>The set a backslash begins: a class, a property, or one character.</summary>
    private CharacterSet EscapedSet()
    {
        var at = _at;
        var letter = _at + 1 < _pattern.Length ? _pattern[_at + 1] : throw Refused("a lone backslash", _at);
        _at += 2;
        if (CharacterClasses.Escape(letter) is { } set)
        {
            return set;
        }

        if (letter is 'p' or 'P')
        {
            var close = _pattern.IndexOf('}', _at);
            var name = close > _at && _pattern[_at] == '{' ? _pattern[(_at + 1)..close] : "";
            var negated = name.StartsWith('^');
            var found = CharacterClasses.Property(negated ? name[1..] : name) ?? throw Refused(
                $"the property \\{letter}{{{name}}}", at);
            _at = close + 1;
            return CharacterClasses.Negate(found, negated ^ (letter == 'P'));
        }

        return Single(letter switch
        {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'f' => '\f',
            'v' => '\v',
            'a' => '\a',
            'e' => 0x1B,
            'x' or 'u' => Hexadecimal(letter, at),
            _ when char.IsAsciiLetterOrDigit(letter) || letter > 0x7F => throw Refused($"\\{letter}", at),
            _ => letter,
        });
    }

    private int Hexadecimal(char letter, int at)
    {
        var braces = _at < _pattern.Length && _pattern[_at] == '{' && letter == 'x';
        var start = braces ? _at + 1 : _at;
        var end = start;
        var most = braces ? 8 : letter == 'u' ? 4 : 2;
        while (end < _pattern.Length && end - start < most && char.IsAsciiHexDigit(_pattern[end]))
        {
            end++;
        }

        var isWhole = braces ? end > start && end < _pattern.Length && _pattern[end] == '}' : end - start == most;
        var value = isWhole
            ? long.Parse(_pattern.AsSpan(start, end - start), NumberStyles.HexNumber, CultureInfo.InvariantCulture)
            : -1;

        // \x80 and above is a byte of UTF-8 to Oniguruma, no character.
        if (value < 0 || value > (letter == 'x' && !braces ? 0x7F : 0x10FFFF) || !Rune.IsValid((int)value))
        {
            throw Refused($"\\{letter} that is no character", at);
        }

        _at = braces ? end + 1 : end;
        return (int)value;
    }

    private void Add(CharacterSet set, bool fold, int at)
    {
        if (fold && !set.TryFold())
        {
            throw Refused("letters beyond ASCII or classes without regard to case", at);
        }

        _parts.Add(set);
    }

    private static CharacterSet Single(int codePoint) => new CharacterSet().Add(codePoint, codePoint);

    private int Next()
    {
        if (Rune.DecodeFromUtf16(_pattern.AsSpan(_at), out var rune, out var length)
            != System.Buffers.OperationStatus.Done)
        {
            throw Refused("a lone surrogate", _at);
        }

        _at += length;
        return rune.Value;
    }
}
