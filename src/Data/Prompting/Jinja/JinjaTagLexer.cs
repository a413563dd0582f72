using System.Globalization;
using System.Text;

namespace SafeLlama.Data;

/// <summary>Reads the tokens inside a tag: names, numbers, strings, operators and brackets.</summary>
internal sealed class JinjaTagLexer(string source, JinjaPlaces places, List<JinjaToken> tokens)
{
    /// <summary>Longer operators first, so that <c>**</c> is not read as two.</summary>
    private static readonly string[] Operators =
    [
        "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=",
        ".", ":", "|", ",", ";",
    ];

    private readonly Stack<char> _open = new();

    /// <summary>True where no bracket is open, so that the tag may end.</summary>
    public bool IsBalanced => _open.Count == 0;

    /// <summary>Reads one token and returns the place behind it.</summary>
    /// <exception cref="JinjaFault">No token begins here.</exception>
    public int Read(int at) =>
        char.IsAsciiDigit(source[at]) ? ReadNumber(at)
        : source[at] == '_' || char.IsLetter(source[at]) ? ReadName(at)
        : source[at] is '\'' or '"' ? ReadString(at)
        : ReadOperator(at);

    private int ReadName(int at)
    {
        var end = at;
        while (end < source.Length && (source[end] == '_' || char.IsLetterOrDigit(source[end])))
        {
            end++;
        }

        return Add(JinjaTokenKind.Name, source[at..end], at, end);
    }

    private int ReadNumber(int at)
    {
        var end = Digits(at);
        var kind = JinjaTokenKind.Integer;
        var afterDot = tokens[^1].IsOperator(".");
        if (!afterDot && end + 1 < source.Length && source[end] == '.' && char.IsAsciiDigit(source[end + 1]))
        {
            (kind, end) = (JinjaTokenKind.Float, Digits(end + 1));
        }

        if (!afterDot && end < source.Length && source[end] is 'e' or 'E')
        {
            var exponent = end + 1 < source.Length && source[end + 1] is '+' or '-' ? end + 2 : end + 1;
            if (exponent < source.Length && char.IsAsciiDigit(source[exponent]))
            {
                (kind, end) = (JinjaTokenKind.Float, Digits(exponent));
            }
        }

        var text = source[at..end].Replace("_", "", StringComparison.Ordinal);
        return kind == JinjaTokenKind.Integer && text.Length > 1 && text[0] == '0'
            ? throw new JinjaFault($"the number {UnicodeText.Shown(text)} begins with 0", places.Of(at))
            : Add(kind, text, at, end);
    }

    private int Digits(int at)
    {
        while (at < source.Length
            && (char.IsAsciiDigit(source[at])
                || (source[at] == '_' && at + 1 < source.Length && char.IsAsciiDigit(source[at + 1]))))
        {
            at++;
        }

        return at;
    }

    private int ReadOperator(int at)
    {
        var found = Operators.FirstOrDefault(text => source.AsSpan(at).StartsWith(text))
            ?? throw new JinjaFault(
                $"the character '{UnicodeText.Shown(source[at].ToString())}' begins nothing that Jinja knows",
                places.Of(at));
        switch (found[0])
        {
            case '(' or '[' or '{':
                _open.Push(found[0] switch { '(' => ')', '[' => ']', _ => '}' });
                break;
            case ')' or ']' or '}' when !_open.TryPop(out var expected) || expected != found[0]:
                throw new JinjaFault($"'{found}' closes nothing that is open", places.Of(at));
        }

        return Add(JinjaTokenKind.Operator, found, at, at + found.Length);
    }

    private int ReadString(int at)
    {
        var text = new StringBuilder();
        var i = at + 1;
        while (i < source.Length && source[i] != source[at])
        {
            i = source[i] == '\\' ? ReadEscape(i, text) : Copy(i, text);
        }

        return i < source.Length
            ? Add(JinjaTokenKind.String, text.ToString(), at, i + 1)
            : throw new JinjaFault($"the string is not closed; expected {source[at]}", places.Of(at));
    }

    private int Copy(int at, StringBuilder text)
    {
        text.Append(source[at]);
        return at + 1;
    }

    /// <summary>Python's escapes; one that Python does not know stays as it is written.</summary>
    private int ReadEscape(int at, StringBuilder text)
    {
        var next = at + 1 < source.Length ? source[at + 1] : '\0';
        switch (next)
        {
            case '\n':
                return at + 2;
            case 'x':
                return ReadCode(at, 2, text);
            case 'u':
                return ReadCode(at, 4, text);
            case 'U':
                return ReadCode(at, 8, text);
            case 'N':
                throw new JinjaFault("the escape \\N is not supported; write \\u and four digits", places.Of(at));
            case >= '0' and <= '7':
                var end = at + 1;
                var code = 0;
                while (end < source.Length && end < at + 4 && source[end] is >= '0' and <= '7')
                {
                    code = (code * 8) + source[end++] - '0';
                }

                text.Append((char)code);
                return end;
        }

        var known = "abfnrtv\\'\"".IndexOf(next, StringComparison.Ordinal);
        text.Append(known < 0 || next == '\0' ? "\\" : "\a\b\f\n\r\t\v\\'\"".Substring(known, 1));
        return known < 0 || next == '\0' ? at + 1 : at + 2;
    }

    private int ReadCode(int at, int digits, StringBuilder text)
    {
        var hex = source.AsSpan(at + 2, Math.Min(digits, source.Length - at - 2));
        if (hex.Length < digits || !uint.TryParse(hex, NumberStyles.AllowHexSpecifier, null, out var code)
            || code > 0x10FFFF)
        {
            throw new JinjaFault(
                $"the escape {UnicodeText.Shown(source[at..(at + 2)])} needs {digits} hexadecimal digits",
                places.Of(at));
        }

        text.Append(code > 0xFFFF ? char.ConvertFromUtf32((int)code) : ((char)code).ToString());
        return at + 2 + digits;
    }

    private int Add(JinjaTokenKind kind, string text, int at, int end)
    {
        tokens.Add(new JinjaToken(kind, text, places.Of(at)));
        return end;
    }
}
