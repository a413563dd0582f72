namespace SafeLlama.Data;

/// <summary>Parses what is assigned to, and the parameters of macros.</summary>
internal sealed class JinjaTargetParser(JinjaCursor cursor, JinjaExpressionParser expressions)
{
    /// <summary>One target, or several with commas between them.</summary>
    public JinjaTarget Parse(Func<JinjaToken, bool> isClosedBy, bool mayBeAttribute = false)
    {
        var place = cursor.Current.Place;
        var parts = new List<JinjaTarget>();
        var isTuple = false;
        while (parts.Count == 0 || !isClosedBy(cursor.Current))
        {
            parts.Add(ParseOne(mayBeAttribute));
            if (!cursor.SkipOperator(","))
            {
                break;
            }

            isTuple = true;
        }

        return isTuple ? new JinjaTarget(place, "", null, parts) : parts[0];
    }

    public JinjaTarget ParseOne(bool mayBeAttribute)
    {
        var place = cursor.Current.Place;
        if (cursor.SkipOperator("("))
        {
            var inner = cursor.Nest(() => Parse(static token => token.IsOperator(")"), mayBeAttribute));
            cursor.ExpectOperator(")");
            return inner;
        }

        var name = cursor.TakeName();
        if (name is "true" or "false" or "none" or "True" or "False" or "None")
        {
            throw new JinjaFault($"'{name}' cannot be assigned to", place);
        }

        var attribute = mayBeAttribute && cursor.SkipOperator(".") ? cursor.TakeName() : null;
        return new JinjaTarget(place, name, attribute, []);
    }

    public JinjaParameters ParseParameters()
    {
        var items = new List<(string Name, JinjaExpression? Otherwise)>();
        cursor.ExpectOperator("(");
        while (!cursor.SkipOperator(")"))
        {
            if (items.Count > 0)
            {
                cursor.ExpectOperator(",");
                if (cursor.SkipOperator(")"))
                {
                    break;
                }
            }

            var place = cursor.Current.Place;
            var name = cursor.TakeName();
            var otherwise = cursor.SkipOperator("=") ? expressions.Parse() : null;
            if (items.Any(item => item.Name == name))
            {
                throw new JinjaFault($"the parameter '{UnicodeText.Shown(name)}' is named twice", place);
            }

            if (otherwise is null && items.Any(item => item.Otherwise is not null))
            {
                throw new JinjaFault("a parameter without a default follows one with a default", place);
            }

            items.Add((name, otherwise));
        }

        return new JinjaParameters(items);
    }
}
