using System.Globalization;

namespace SafeLlama.Data;

/// <summary>Parses expressions by recursive descent; precedence is Jinja's.</summary>
/// <remarks>
/// <code>
/// expression = or { "if" or [ "else" expression ] }
/// or         = and { "or" and }
/// and        = not { "and" not }
/// not        = "not" not | comparison
/// comparison = sum { ( "==" | "!=" | "&lt;" | "&lt;=" | ">" | ">=" | "in" | "not" "in" ) sum }
/// sum        = concat { ( "+" | "-" ) concat }
/// concat     = product { "~" product }
/// product    = power { ( "*" | "/" | "//" | "%" ) power }
/// power      = unary { "**" unary }
/// unary      = ( "-" | "+" ) unary-without-filters postfix filters | primary postfix filters
/// postfix    = { "." name | "." integer | "[" subscript "]" | "(" arguments ")" }
/// filters    = { "|" name [ "(" arguments ")" ] | "is" [ "not" ] name [ argument ] | "(" arguments ")" }
/// primary    = name | string { string } | number | "(" tuple ")" | "[" items "]" | "{" pairs "}"
/// </code>
/// </remarks>
internal sealed class JinjaExpressionParser(JinjaCursor cursor)
{
    private static readonly string[] Comparisons = ["==", "!=", "<", "<=", ">", ">="];
    private readonly JinjaPostfixParser _postfix = new(cursor);

    public JinjaExpression Parse() => cursor.Nest(ParseConditional);

    /// <summary>An expression, or several with commas between them, which make a tuple.</summary>
    /// <param name="withConditional">False where an <c>if</c> behind it belongs to the statement.</param>
    /// <param name="isClosedBy">True where the current token cannot begin a further item.</param>
    public JinjaExpression ParseTuple(bool withConditional, Func<JinjaToken, bool> isClosedBy)
    {
        var place = cursor.Current.Place;
        var items = new List<JinjaExpression>();
        var isTuple = false;
        while (!isClosedBy(cursor.Current))
        {
            items.Add(withConditional ? Parse() : cursor.Nest(ParseOr));
            if (!cursor.SkipOperator(","))
            {
                break;
            }

            isTuple = true;
        }

        return isTuple ? new JinjaSequence(place, items, IsTuple: true)
            : items.Count == 1 ? items[0]
            : throw cursor.Expected("an expression");
    }

    public JinjaArguments ParseArguments() => _postfix.ParseArguments(this);

    /// <summary>The filters behind an expression, beginning at the current token.</summary>
    public JinjaExpression ParseFilters(JinjaExpression target) => _postfix.ParseFilters(target, this);

    /// <summary>A filter whose name is the current token, and those behind it.</summary>
    public JinjaExpression ParseFilterNamed(JinjaExpression target) =>
        ParseFilters(_postfix.ParseFilter(cursor.Current.Place, target, this));

    public JinjaExpression ParsePrimary()
    {
        var token = cursor.Current;
        switch (token.Kind)
        {
            case JinjaTokenKind.Name:
                cursor.Take();
                return token.Text switch
                {
                    "true" or "True" => new JinjaLiteral(token.Place, true),
                    "false" or "False" => new JinjaLiteral(token.Place, false),
                    "none" or "None" => new JinjaLiteral(token.Place, null),
                    _ => new JinjaVariable(token.Place, token.Text),
                };
            case JinjaTokenKind.String:
                var text = cursor.Take().Text;
                while (cursor.Current.Kind == JinjaTokenKind.String)
                {
                    text += cursor.Take().Text;
                }

                return new JinjaLiteral(token.Place, new MarkedText(text));
            case JinjaTokenKind.Integer:
                cursor.Take();
                return long.TryParse(token.Text, NumberStyles.None, null, out var whole)
                    ? new JinjaLiteral(token.Place, whole)
                    : throw new JinjaFault("the number is beyond 64 bits", token.Place);
            case JinjaTokenKind.Float:
                cursor.Take();
                return new JinjaLiteral(token.Place, double.Parse(token.Text, NumberStyles.Float, null));
            case JinjaTokenKind.Operator when token.Text == "(":
                cursor.Take();
                var inner = cursor.Current.IsOperator(")")
                    ? new JinjaSequence(token.Place, [], IsTuple: true)
                    : ParseTuple(withConditional: true, static next => next.IsOperator(")"));
                cursor.ExpectOperator(")");
                return inner;
            case JinjaTokenKind.Operator when token.Text == "[":
                return ParseList();
            case JinjaTokenKind.Operator when token.Text == "{":
                return ParseMapping();
            default:
                throw cursor.Expected("an expression");
        }
    }

    private JinjaSequence ParseList()
    {
        var place = cursor.Take().Place;
        var items = new List<JinjaExpression>();
        while (!cursor.SkipOperator("]"))
        {
            if (items.Count > 0)
            {
                cursor.ExpectOperator(",");
                if (cursor.SkipOperator("]"))
                {
                    break;
                }
            }

            items.Add(Parse());
        }

        return new JinjaSequence(place, items, IsTuple: false);
    }

    private JinjaMapping ParseMapping()
    {
        var place = cursor.Take().Place;
        var pairs = new List<(JinjaExpression Key, JinjaExpression Value)>();
        while (!cursor.SkipOperator("}"))
        {
            if (pairs.Count > 0)
            {
                cursor.ExpectOperator(",");
                if (cursor.SkipOperator("}"))
                {
                    break;
                }
            }

            var key = Parse();
            cursor.ExpectOperator(":");
            pairs.Add((key, Parse()));
        }

        return new JinjaMapping(place, pairs);
    }

    private JinjaExpression ParseConditional()
    {
        var place = cursor.Current.Place;
        var then = ParseOr();
        while (cursor.SkipName("if"))
        {
            var test = ParseOr();
            var otherwise = cursor.SkipName("else") ? Parse() : null;
            then = new JinjaConditional(place, test, then, otherwise);
        }

        return then;
    }

    private JinjaExpression ParseOr() => ParseChain(ParseAnd, static token => token.IsName("or"));

    private JinjaExpression ParseAnd() => ParseChain(ParseNot, static token => token.IsName("and"));

    private JinjaExpression ParseNot()
    {
        var place = cursor.Current.Place;
        return cursor.SkipName("not")
            ? new JinjaUnary(place, "not", cursor.Nest(ParseNot))
            : ParseComparison();
    }

    private JinjaExpression ParseComparison()
    {
        var place = cursor.Current.Place;
        var first = ParseSum();
        var rest = new List<(string Operator, JinjaExpression Operand)>();
        while (true)
        {
            if (cursor.Current.Kind == JinjaTokenKind.Operator && Comparisons.Contains(cursor.Current.Text))
            {
                rest.Add((cursor.Take().Text, ParseSum()));
            }
            else if (cursor.SkipName("in"))
            {
                rest.Add(("in", ParseSum()));
            }
            else if (cursor.Current.IsName("not") && cursor.Next.IsName("in"))
            {
                cursor.Take();
                cursor.Take();
                rest.Add(("not in", ParseSum()));
            }
            else
            {
                return rest.Count == 0 ? first : new JinjaComparison(place, first, rest);
            }
        }
    }

    private JinjaExpression ParseSum() =>
        ParseChain(ParseConcatenation, static token => token.IsOperator("+") || token.IsOperator("-"));

    private JinjaExpression ParseConcatenation()
    {
        var place = cursor.Current.Place;
        var items = new List<JinjaExpression> { ParseProduct() };
        while (cursor.SkipOperator("~"))
        {
            items.Add(ParseProduct());
        }

        return items.Count == 1 ? items[0] : new JinjaConcatenation(place, items);
    }

    private JinjaExpression ParseProduct() => ParseChain(
        ParsePower, static token => token.Kind == JinjaTokenKind.Operator && token.Text is "*" or "/" or "//" or "%");

    /// <summary>Jinja groups <c>**</c> from the left and binds a sign closer.</summary>
    private JinjaExpression ParsePower() => ParseChain(
        () => ParseUnary(withFilters: true), static token => token.IsOperator("**"));

    private JinjaExpression ParseChain(Func<JinjaExpression> parse, Func<JinjaToken, bool> joins)
    {
        var left = parse();
        while (joins(cursor.Current))
        {
            var token = cursor.Take();
            left = new JinjaBinary(token.Place, token.Text, left, parse());
        }

        return left;
    }

    private JinjaExpression ParseUnary(bool withFilters)
    {
        var token = cursor.Current;
        JinjaExpression parsed;
        if (token.IsOperator("-") || token.IsOperator("+"))
        {
            cursor.Take();
            parsed = new JinjaUnary(token.Place, token.Text, cursor.Nest(() => ParseUnary(withFilters: false)));
        }
        else
        {
            parsed = ParsePrimary();
        }

        parsed = _postfix.ParsePostfix(parsed, this);
        return withFilters ? ParseFilters(parsed) : parsed;
    }
}
