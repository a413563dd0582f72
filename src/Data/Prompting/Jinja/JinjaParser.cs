namespace SafeLlama.Data;

/// <summary>Parses a template to statements.</summary>
/// <remarks>
/// <code>
/// template = { data | "{{" tuple "}}" | "{%" statement "%}" }
/// statement = "if" test … { "elif" test … } [ "else" … ] "endif"
///           | "for" target "in" items [ "if" expression ] … [ "else" … ] "endfor"
///           | "set" target "=" tuple | "set" target { "|" filter } … "endset"
///           | "macro" name "(" parameters ")" … "endmacro"
///           | "call" [ "(" parameters ")" ] call … "endcall"
///           | "filter" name { "|" filter } … "endfilter"
///           | "with" { target "=" expression } … "endwith"
///           | "generation" … "endgeneration" | "break" | "continue"
/// target    = name | name "." name | target { "," target }
/// </code>
/// </remarks>
internal sealed class JinjaParser
{
    private readonly JinjaCursor _cursor;
    private readonly JinjaExpressionParser _expressions;
    private readonly JinjaTargetParser _targets;
    private int _loops;

    private JinjaParser(IReadOnlyList<JinjaToken> tokens)
    {
        _cursor = new JinjaCursor(tokens);
        _expressions = new JinjaExpressionParser(_cursor);
        _targets = new JinjaTargetParser(_cursor, _expressions);
    }

    /// <exception cref="JinjaFault">The source is no template, or one that is not supported.</exception>
    public static IReadOnlyList<JinjaStatement> Parse(string source)
    {
        var parser = new JinjaParser(JinjaLexer.Read(source));
        return parser.ParseBody(null, []);
    }

    /// <summary>Statements up to a tag named in <paramref name="ends"/>, whose name is then current.</summary>
    private List<JinjaStatement> ParseBody(JinjaToken? opener, string[] ends)
    {
        var body = new List<JinjaStatement>();
        while (true)
        {
            var token = _cursor.Current;
            switch (token.Kind)
            {
                case JinjaTokenKind.Data:
                    _cursor.Take();
                    body.Add(new JinjaData(token.Place, new MarkedText(token.Text)));
                    break;
                case JinjaTokenKind.VariableBegin:
                    _cursor.Take();
                    var value = _expressions.ParseTuple(
                        withConditional: true, static next => next.Kind == JinjaTokenKind.VariableEnd);
                    _cursor.Expect(JinjaTokenKind.VariableEnd, "}}");
                    body.Add(new JinjaOutput(token.Place, value));
                    break;
                case JinjaTokenKind.BlockBegin:
                    _cursor.Take();
                    if (_cursor.Current.Kind == JinjaTokenKind.Name && ends.Contains(_cursor.Current.Text))
                    {
                        return body;
                    }

                    body.Add(_cursor.Nest(() => ParseStatement(ends)));
                    _cursor.Expect(JinjaTokenKind.BlockEnd, "%}");
                    break;
                default:
                    return opener is { } open
                        ? throw new JinjaFault(
                            $"the block '{open.Text}' is not closed; expected '{{% {ends[^1]} %}}'", open.Place)
                        : body;
            }
        }
    }

    private JinjaStatement ParseStatement(string[] ends)
    {
        var token = _cursor.Current;
        switch (_cursor.TakeName())
        {
            case "if":
                return ParseIf(token);
            case "for":
                return ParseFor(token);
            case "set":
                return ParseSet(token);
            case "macro":
                return ParseMacro(token);
            case "call":
                return ParseCall(token);
            case "filter":
                var filter = ParseFilterChain(token);
                return new JinjaFilterBlock(token.Place, filter, ParseBlock(token, "endfilter"));
            case "with":
                return ParseWith(token);
            case "generation":
                return new JinjaGeneration(token.Place, ParseBlock(token, "endgeneration"));
            case "break" or "continue" when _loops > 0:
                return new JinjaJump(token.Place, token.Text == "break");
            case "break" or "continue":
                throw new JinjaFault($"'{token.Text}' stands outside a loop", token.Place);
            case var name when name.StartsWith("end", StringComparison.Ordinal) || name is "else" or "elif":
                throw new JinjaFault(ends.Length == 0
                    ? $"'{UnicodeText.Shown(name)}' closes nothing that is open"
                    : $"found '{UnicodeText.Shown(name)}', expected {string.Join(" or ", ends)}", token.Place);
            default:
                throw new JinjaFault($"the statement '{UnicodeText.Shown(token.Text)}' is not supported; known are "
                    + "break, call, continue, filter, for, generation, if, macro, raw, set, with", token.Place);
        }
    }

    /// <summary>The rest of a tag, its body, and the end's name.</summary>
    private List<JinjaStatement> ParseBlock(JinjaToken opener, params string[] ends)
    {
        _cursor.SkipOperator(":");
        _cursor.Expect(JinjaTokenKind.BlockEnd, "%}");
        var body = ParseBody(opener, ends);
        if (ends.Length == 1)
        {
            _cursor.Take();
        }

        return body;
    }

    private JinjaIf ParseIf(JinjaToken opener)
    {
        var branches = new List<(JinjaExpression Test, IReadOnlyList<JinjaStatement> Body)>();
        while (true)
        {
            var test = _expressions.ParseTuple(withConditional: false, EndsTag);
            branches.Add((test, ParseBlock(opener, "elif", "else", "endif")));
            switch (_cursor.Take().Text)
            {
                case "endif":
                    return new JinjaIf(opener.Place, branches, []);
                case "else":
                    return new JinjaIf(opener.Place, branches, ParseBlock(opener, "endif"));
            }
        }
    }

    private JinjaFor ParseFor(JinjaToken opener)
    {
        var target = _targets.Parse(static token => token.IsName("in"));
        if (!_cursor.SkipName("in"))
        {
            throw _cursor.Expected("'in'");
        }

        var items = _expressions.ParseTuple(withConditional: false, EndsTag);
        var test = _cursor.SkipName("if") ? _expressions.Parse() : null;
        if (_cursor.Current.IsName("recursive"))
        {
            throw new JinjaFault("recursive loops are not supported", _cursor.Current.Place);
        }

        _loops++;
        IReadOnlyList<JinjaStatement> body = ParseBlock(opener, "else", "endfor");
        _loops--;
        var otherwise = _cursor.Take().Text == "else" ? ParseBlock(opener, "endfor") : [];
        return new JinjaFor(opener.Place, target, items, test, body, otherwise);
    }

    private JinjaStatement ParseSet(JinjaToken opener)
    {
        var target = _targets.Parse(static token => token.IsOperator("="), mayBeAttribute: true);
        if (_cursor.SkipOperator("="))
        {
            return new JinjaSet(opener.Place, target, _expressions.ParseTuple(withConditional: true, EndsTag));
        }

        var filter = _cursor.Current.IsOperator("|")
            ? _expressions.ParseFilters(new JinjaCaptured(opener.Place))
            : null;
        return new JinjaSetBlock(opener.Place, target, filter, ParseOutsideLoops(opener, "endset"));
    }

    private JinjaMacro ParseMacro(JinjaToken opener)
    {
        var name = _cursor.TakeName();
        var parameters = _targets.ParseParameters();
        return new JinjaMacro(opener.Place, name, parameters, ParseOutsideLoops(opener, "endmacro"));
    }

    private JinjaCallBlock ParseCall(JinjaToken opener)
    {
        var parameters = _cursor.Current.IsOperator("(") ? _targets.ParseParameters() : JinjaParameters.None;
        return _expressions.Parse() is JinjaCall call
            ? new JinjaCallBlock(opener.Place, parameters, call, ParseOutsideLoops(opener, "endcall"))
            : throw new JinjaFault("'call' needs a call of a macro", opener.Place);
    }

    /// <summary>A body that no <c>break</c> can leave.</summary>
    private List<JinjaStatement> ParseOutsideLoops(JinjaToken opener, string end)
    {
        (var loops, _loops) = (_loops, 0);
        var body = ParseBlock(opener, end);
        _loops = loops;
        return body;
    }

    private JinjaWith ParseWith(JinjaToken opener)
    {
        var values = new List<(JinjaTarget Target, JinjaExpression Value)>();
        while (_cursor.Current.Kind != JinjaTokenKind.BlockEnd)
        {
            if (values.Count > 0)
            {
                _cursor.ExpectOperator(",");
            }

            var target = _targets.ParseOne(mayBeAttribute: false);
            _cursor.ExpectOperator("=");
            values.Add((target, _expressions.Parse()));
        }

        return new JinjaWith(opener.Place, values, ParseBlock(opener, "endwith"));
    }

    private JinjaExpression ParseFilterChain(JinjaToken opener)
    {
        if (_cursor.Current.Kind != JinjaTokenKind.Name)
        {
            throw _cursor.Expected("the name of a filter");
        }

        return _expressions.ParseFilterNamed(new JinjaCaptured(opener.Place));
    }

    private static bool EndsTag(JinjaToken token) =>
        token.Kind == JinjaTokenKind.BlockEnd || token.IsOperator(":");
}
