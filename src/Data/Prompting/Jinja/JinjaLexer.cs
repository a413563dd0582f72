namespace SafeLlama.Data;

/// <summary>Cuts a template's source into tokens and applies whitespace control.</summary>
/// <remarks>
/// The rules are those of Jinja 3.1 as transformers sets it: <c>trim_blocks</c> (the line break after a block or a
/// comment goes), <c>lstrip_blocks</c> (spaces before a block or a comment that begins a line go), one line break at
/// the end of the source goes, and <c>-</c> and <c>+</c> in a tag overrule them.
/// </remarks>
internal sealed class JinjaLexer
{
    private readonly string _source;
    private readonly JinjaPlaces _places;
    private readonly List<JinjaToken> _tokens = [];
    private int _at;
    private bool _atLineStart = true;

    private JinjaLexer(string source)
    {
        _source = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        if (_source.EndsWith('\n'))
        {
            _source = _source[..^1];
        }

        _places = new JinjaPlaces(_source);
    }

    /// <exception cref="JinjaFault">A tag is not closed, or a character begins no token.</exception>
    public static IReadOnlyList<JinjaToken> Read(string source)
    {
        var lexer = new JinjaLexer(source);
        lexer.ReadAll();
        return lexer._tokens;
    }

    private void ReadAll()
    {
        while (_at < _source.Length)
        {
            var tag = FindTag(_at);
            if (tag < 0)
            {
                AddData(_source[_at..], _at);
                _at = _source.Length;
                break;
            }

            var kind = _source[tag + 1];
            var (sign, begin) = SignAt(tag + 2);
            AddData(StripBefore(_source[_at..tag], sign, isVariable: kind == '{'), _at);
            _at = begin;
            _atLineStart = false;
            if (kind == '#')
            {
                SkipComment(tag);
            }
            else if (kind == '%' && RawBegins(begin) is { } body)
            {
                ReadRaw(tag, body);
            }
            else
            {
                ReadTag(tag, isVariable: kind == '{');
            }
        }

        _tokens.Add(new JinjaToken(JinjaTokenKind.End, "", _places.Of(_source.Length)));
    }

    private int FindTag(int from)
    {
        for (var i = _source.IndexOf('{', from); i >= 0 && i + 1 < _source.Length; i = _source.IndexOf('{', i + 1))
        {
            if (_source[i + 1] is '{' or '%' or '#')
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>The sign of whitespace control at a place, and the place behind it.</summary>
    private (char Sign, int After) SignAt(int place) =>
        place < _source.Length && _source[place] is '-' or '+' ? (_source[place], place + 1) : (' ', place);

    private string StripBefore(string text, char sign, bool isVariable)
    {
        if (sign == '-')
        {
            return PythonText.TrimEnd(text);
        }

        var line = text.LastIndexOf('\n') + 1;
        return sign != '+' && !isVariable && (line > 0 || _atLineStart) && PythonText.IsBlank(text.AsSpan(line))
            ? text[..line]
            : text;
    }

    private void AddData(string text, int place)
    {
        if (text.Length > 0)
        {
            _tokens.Add(new JinjaToken(JinjaTokenKind.Data, text, _places.Of(place)));
        }
    }

    /// <summary>Goes behind a tag's end and takes the whitespace with it that the end takes.</summary>
    private void PassEnd(int end, char sign, bool takesLineBreak)
    {
        _at = end;
        if (sign == '-')
        {
            while (_at < _source.Length && PythonText.IsSpace(_source[_at]))
            {
                _at++;
            }
        }
        else if (sign != '+' && takesLineBreak && _at < _source.Length && _source[_at] == '\n')
        {
            _at++;
        }

        _atLineStart = _source[_at - 1] == '\n';
    }

    private void SkipComment(int tag)
    {
        var end = _source.IndexOf("#}", _at, StringComparison.Ordinal);
        if (end < 0)
        {
            throw new JinjaFault("the comment is not closed; expected '#}'", _places.Of(tag));
        }

        PassEnd(end + 2, end > _at ? _source[end - 1] : ' ', takesLineBreak: true);
    }

    /// <summary>Where the body of <c>{% raw %}</c> begins; null where the tag is another.</summary>
    private int? RawBegins(int place)
    {
        var name = SkipSpace(place);
        if (!_source.AsSpan(name).StartsWith("raw"))
        {
            return null;
        }

        var end = SkipSpace(name + 3);
        return _source.AsSpan(end).StartsWith("%}") ? end + 2
            : _source.AsSpan(end).StartsWith("-%}") ? SkipSpace(end + 3)
            : null;
    }

    private void ReadRaw(int tag, int body)
    {
        _at = body;
        _atLineStart = _source[body - 1] == '\n';
        for (var i = _source.IndexOf("{%", body, StringComparison.Ordinal);
             i >= 0;
             i = _source.IndexOf("{%", i + 2, StringComparison.Ordinal))
        {
            var (sign, after) = SignAt(i + 2);
            var name = SkipSpace(after);
            if (!_source.AsSpan(name).StartsWith("endraw"))
            {
                continue;
            }

            var (endSign, end) = SignAt(SkipSpace(name + 6));
            if (_source.AsSpan(end).StartsWith("%}"))
            {
                AddData(StripBefore(_source[body..i], sign, isVariable: false), body);
                PassEnd(end + 2, endSign, takesLineBreak: true);
                return;
            }
        }

        throw new JinjaFault("the raw block is not closed; expected '{% endraw %}'", _places.Of(tag));
    }

    private void ReadTag(int tag, bool isVariable)
    {
        var close = isVariable ? "}}" : "%}";
        Add(isVariable ? JinjaTokenKind.VariableBegin : JinjaTokenKind.BlockBegin, isVariable ? "{{" : "{%", tag);
        var tokens = new JinjaTagLexer(_source, _places, _tokens);
        while (true)
        {
            _at = SkipSpace(_at);
            if (_at >= _source.Length)
            {
                throw new JinjaFault($"the tag is not closed; expected '{close}'", _places.Of(tag));
            }

            var sign = _source[_at] == '-' || (_source[_at] == '+' && !isVariable) ? _source[_at] : ' ';
            var end = sign == ' ' ? _at : _at + 1;
            if (tokens.IsBalanced && _source.AsSpan(end).StartsWith(close))
            {
                Add(isVariable ? JinjaTokenKind.VariableEnd : JinjaTokenKind.BlockEnd, close, _at);
                PassEnd(end + 2, sign, takesLineBreak: !isVariable);
                return;
            }

            _at = tokens.Read(_at);
        }
    }

    private void Add(JinjaTokenKind kind, string text, int place) =>
        _tokens.Add(new JinjaToken(kind, text, _places.Of(place)));

    private int SkipSpace(int place)
    {
        while (place < _source.Length && PythonText.IsSpace(_source[place]))
        {
            place++;
        }

        return place;
    }
}
