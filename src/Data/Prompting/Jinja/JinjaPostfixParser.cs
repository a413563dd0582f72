namespace SafeLlama.Data;

/// <summary>Parses what stands behind an expression: attributes, subscripts, calls, filters and tests.</summary>
internal sealed class JinjaPostfixParser(JinjaCursor cursor)
{
    public JinjaExpression ParsePostfix(JinjaExpression target, JinjaExpressionParser expressions)
    {
        while (true)
        {
            var place = cursor.Current.Place;
            if (cursor.SkipOperator("."))
            {
                target = cursor.Current.Kind == JinjaTokenKind.Integer
                    ? new JinjaIndex(place, target, expressions.ParsePrimary())
                    : new JinjaAttribute(place, target, cursor.TakeName());
            }
            else if (cursor.Current.IsOperator("["))
            {
                target = ParseSubscript(target, expressions);
            }
            else if (cursor.Current.IsOperator("("))
            {
                target = new JinjaCall(place, target, ParseArguments(expressions));
            }
            else
            {
                return target;
            }
        }
    }

    public JinjaExpression ParseFilters(JinjaExpression target, JinjaExpressionParser expressions)
    {
        while (true)
        {
            var place = cursor.Current.Place;
            if (cursor.SkipOperator("|"))
            {
                target = ParseFilter(place, target, expressions);
            }
            else if (cursor.SkipName("is"))
            {
                target = ParseTest(place, target, expressions);
            }
            else if (cursor.Current.IsOperator("("))
            {
                target = new JinjaCall(place, target, ParseArguments(expressions));
            }
            else
            {
                return target;
            }
        }
    }

    /// <summary>One filter, beginning at its name.</summary>
    public JinjaFilterCall ParseFilter(
        JinjaPlace place, JinjaExpression target, JinjaExpressionParser expressions)
    {
        var name = KnownName(JinjaFilters.Names, "filter");
        var arguments = cursor.Current.IsOperator("(") ? ParseArguments(expressions) : JinjaArguments.None;
        return new JinjaFilterCall(place, target, name, arguments);
    }

    public JinjaArguments ParseArguments(JinjaExpressionParser expressions)
    {
        cursor.ExpectOperator("(");
        var positional = new List<JinjaExpression>();
        var named = new List<(string Name, JinjaExpression Value)>();
        while (!cursor.SkipOperator(")"))
        {
            if (positional.Count + named.Count > 0)
            {
                cursor.ExpectOperator(",");
                if (cursor.SkipOperator(")"))
                {
                    break;
                }
            }

            if (cursor.Current.IsOperator("*") || cursor.Current.IsOperator("**"))
            {
                throw new JinjaFault("unpacked arguments (* and **) are not supported", cursor.Current.Place);
            }

            if (cursor.Current.Kind == JinjaTokenKind.Name && cursor.Next.IsOperator("="))
            {
                var name = cursor.Take().Text;
                cursor.Take();
                named.Add((name, expressions.Parse()));
            }
            else if (named.Count > 0)
            {
                throw new JinjaFault("an argument without a name follows one with a name", cursor.Current.Place);
            }
            else
            {
                positional.Add(expressions.Parse());
            }
        }

        return new JinjaArguments(positional, named);
    }

    private JinjaTestCall ParseTest(JinjaPlace place, JinjaExpression target, JinjaExpressionParser expressions)
    {
        var negated = cursor.SkipName("not");
        var name = KnownName(JinjaTests.Names, "test");
        var arguments = JinjaArguments.None;
        if (cursor.Current.IsOperator("("))
        {
            arguments = ParseArguments(expressions);
        }
        else if (TakesArgument(cursor.Current))
        {
            arguments = new JinjaArguments([ParsePostfix(expressions.ParsePrimary(), expressions)], []);
        }

        return new JinjaTestCall(place, target, name, arguments, negated);
    }

    /// <summary>Whether the token behind a test's name begins its argument: <c>x is divisibleby 3</c>.</summary>
    private static bool TakesArgument(JinjaToken token)
    {
        if (token.IsName("is"))
        {
            throw new JinjaFault("tests cannot be chained with 'is'", token.Place);
        }

        return token.Kind is JinjaTokenKind.String or JinjaTokenKind.Integer or JinjaTokenKind.Float
            || token.IsOperator("[") || token.IsOperator("{")
            || (token.Kind == JinjaTokenKind.Name
                && token.Text is not ("else" or "or" or "and" or "if" or "not" or "in"));
    }

    private string KnownName(IReadOnlyCollection<string> known, string what)
    {
        var token = cursor.Current;
        var name = cursor.TakeName();
        return known.Contains(name)
            ? name
            : throw new JinjaFault(
                $"the {what} '{UnicodeText.Shown(name)}' is not supported; known are "
                + string.Join(", ", known.Order(StringComparer.Ordinal)), token.Place);
    }

    private JinjaExpression ParseSubscript(JinjaExpression target, JinjaExpressionParser expressions)
    {
        var place = cursor.Take().Place;
        var start = cursor.Current.IsOperator(":") ? null : expressions.Parse();
        if (!cursor.SkipOperator(":"))
        {
            cursor.ExpectOperator("]");
            return new JinjaIndex(place, target, start!);
        }

        var stop = Part();
        var step = cursor.SkipOperator(":") ? Part() : null;
        cursor.ExpectOperator("]");
        return new JinjaSlice(place, target, start, stop, step);

        JinjaExpression? Part() =>
            cursor.Current.IsOperator(":") || cursor.Current.IsOperator("]") ? null : expressions.Parse();
    }
}
