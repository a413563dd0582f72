using System.Globalization;

namespace SafeLlama.Data;

/// <summary>Bracketed classes and quantifiers.</summary>
internal sealed partial class SplitPattern
{
    /// <summary>A class, from behind its opening bracket to behind its closing one.</summary>
    private CharacterSet Class()
    {
        var at = _at - 1;
        var set = new CharacterSet();
        var negated = Take("^");
        if (_at < _pattern.Length && _pattern[_at] == ']')
        {
            throw Refused("an empty class", at);
        }

        while (!Take("]"))
        {
            if (_at >= _pattern.Length)
            {
                throw Refused("'[' without ']'", at);
            }

            if (_pattern.AsSpan(_at).StartsWith("&&"))
            {
                throw Refused("an intersection of classes", _at);
            }

            Member(set);
        }

        set.Negated ^= negated;
        return set;
    }

    private void Member(CharacterSet set)
    {
        var at = _at;
        var member = _pattern[_at] switch
        {
            '[' when _pattern.AsSpan(_at).StartsWith("[:") => Posix(),
            '[' => Nested(),
            '\\' => EscapedSet(),
            _ => Single(Next()),
        };
        if (!Take("-"))
        {
            Unite(set, member, at);
        }
        else if (_at < _pattern.Length && _pattern[_at] == ']')
        {
            Unite(set, member, at);
            Unite(set, Single('-'), at);
        }
        else
        {
            var last = _at >= _pattern.Length || _pattern[_at] == '['
                ? throw Refused("a range that does not end", at)
                : _pattern[_at] == '\\' ? EscapedSet() : Single(Next());
            if (OnlyOne(member) is not { } from || OnlyOne(last) is not { } to || from > to)
            {
                throw Refused("a range between what are no characters in order", at);
            }

            Unite(set, new CharacterSet().Add(from, to), at);
        }
    }

    private static void Unite(CharacterSet set, CharacterSet member, int at)
    {
        if (!set.TryAdd(member))
        {
            throw Refused("a negated class of categories and characters inside a class", at);
        }
    }

    private static int? OnlyOne(CharacterSet set) =>
        !set.Negated && !set.HasCategories && set.Ranges is [var (from, to)] && from == to ? from : null;

    private CharacterSet Nested()
    {
        _at++;
        return Class();
    }

    private CharacterSet Posix()
    {
        var at = _at;
        var close = _pattern.IndexOf(":]", _at + 2, StringComparison.Ordinal);
        var name = close < 0 ? "" : _pattern[(_at + 2)..close];
        var negated = name.StartsWith('^');
        var set = CharacterClasses.Named(negated ? name[1..] : name)
            ?? throw Refused($"the class [:{name}:]", at);
        _at = close + 2;
        return CharacterClasses.Negate(set, negated);
    }

    /// <summary>Reads what says how often the parts since <paramref name="start"/> occur.</summary>
    private void Quantifier(int start)
    {
        if (_at >= _pattern.Length || _pattern[_at] is not ('*' or '+' or '?' or '{'))
        {
            return;
        }

        var at = _at;
        var text = _pattern[_at] == '{' ? Interval() : _pattern[_at++].ToString();
        if (_at < _pattern.Length && _pattern[_at] is '?' or '+' or '*' or '{')
        {
            if (text.Length > 1 || _pattern[_at] is '*' or '{')
            {
                throw Refused("a quantifier behind a quantifier", at);
            }

            if (_pattern[_at++] == '?')
            {
                text += "?";
            }
            else
            {
                _parts.Insert(start, "(?>"); // possessive: what has matched is not given back
                text += ")";
            }

            if (_at < _pattern.Length && _pattern[_at] is '?' or '+' or '*' or '{')
            {
                throw Refused("a quantifier behind a quantifier", at);
            }
        }

        _parts.Add(text);
    }

    private string Interval()
    {
        var at = _at;
        var close = _pattern.IndexOf('}', _at);
        var ends = close < 0 ? [] : _pattern[(_at + 1)..close].Split(',');
        if (ends.Length is 0 or > 2
            || (ends.Length == 1 && ends[0].Length == 0)
            || (ends[0].Length + ends[^1].Length == 0)
            || ends.Any(end => end.Length > 0
                && !(int.TryParse(end, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n <= 1000))
            || (ends is [{ Length: > 0 } least, { Length: > 0 } most] && Number(least) > Number(most)))
        {
            throw Refused("a quantifier that is no interval up to 1000", at);
        }

        _at = close + 1;
        return ends.Length == 1 ? $"{{{ends[0]}}}" : $"{{{(ends[0].Length > 0 ? ends[0] : "0")},{ends[1]}}}";
    }

    private static int Number(string digits) => int.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);

    private bool Take(string text)
    {
        if (!_pattern.AsSpan(_at).StartsWith(text, StringComparison.Ordinal))
        {
            return false;
        }

        _at += text.Length;
        return true;
    }
}
