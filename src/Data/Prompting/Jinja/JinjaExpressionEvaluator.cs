namespace SafeLlama.Data;

/// <summary>Computes expressions.</summary>
internal sealed class JinjaExpressionEvaluator(JinjaContext context)
{
    /// <summary>The text of the block around a filter chain.</summary>
    public MarkedText Captured { get; set; } = MarkedText.Empty;

    /// <exception cref="JinjaFault">A value does not suit what is done with it; the fault has its place.</exception>
    public object? Evaluate(JinjaExpression expression, JinjaScope scope)
    {
        try
        {
            context.Budget.Enter();
            var value = Compute(expression, scope);
            context.Budget.Leave();
            return value;
        }
        catch (JinjaFault fault) when (fault.Place is null)
        {
            fault.Place = expression.Place;
            throw;
        }
    }

    public bool IsTrue(JinjaExpression expression, JinjaScope scope) => PythonRules.IsTrue(Evaluate(expression, scope));

    public JinjaCallArguments Arguments(JinjaArguments arguments, JinjaScope scope) =>
        arguments.Positional.Count + arguments.Named.Count == 0
            ? JinjaCallArguments.None
            : new JinjaCallArguments(
                [.. arguments.Positional.Select(argument => Evaluate(argument, scope))],
                [.. arguments.Named.Select(argument => (argument.Name, Evaluate(argument.Value, scope)))]);

    /// <summary>Calls a function, a method or a macro.</summary>
    public static object? Call(object? target, JinjaCallArguments arguments) => target switch
    {
        JinjaCallable callable => callable.Invoke(arguments),
        JinjaUndefined undefined => throw new JinjaFault(undefined.Message),
        JinjaLoop => throw new JinjaFault("recursive loops are not supported"),
        _ => throw new JinjaFault($"{PythonRules.TypeName(target)} cannot be called"),
    };

    private object? Compute(JinjaExpression expression, JinjaScope scope) => expression switch
    {
        JinjaLiteral literal => literal.Value,
        JinjaVariable variable => scope[variable.Name],
        JinjaAttribute attribute => JinjaAttributes.Dot(context, Evaluate(attribute.Target, scope), attribute.Name),
        JinjaIndex index =>
            JinjaAttributes.Item(context, Evaluate(index.Target, scope), Evaluate(index.Key, scope)),
        JinjaSlice slice => JinjaAttributes.Slice(
            context, Evaluate(slice.Target, scope), Optional(slice.Start, scope), Optional(slice.Stop, scope),
            Optional(slice.Step, scope)),
        JinjaCall call => Call(Evaluate(call.Target, scope), Arguments(call.Arguments, scope)),
        JinjaFilterCall filter => JinjaFilters.Apply(
            context, filter.Name, Evaluate(filter.Target, scope), Arguments(filter.Arguments, scope)),
        JinjaTestCall test => JinjaTests.Holds(
            context, test.Name, Evaluate(test.Target, scope), Arguments(test.Arguments, scope)) != test.Negated,
        JinjaBinary binary => Binary(binary, scope),
        JinjaUnary unary => Unary(unary, Evaluate(unary.Operand, scope)),
        JinjaComparison comparison => Compare(comparison, scope),
        JinjaConditional conditional => Choose(conditional, scope),
        JinjaConcatenation concatenation => context.Join(
            [.. concatenation.Items.Select(item => context.Printer.Text(Evaluate(item, scope)))], MarkedText.Empty),
        JinjaSequence sequence =>
            new JinjaList([.. sequence.Items.Select(item => Evaluate(item, scope))], sequence.IsTuple),
        JinjaMapping mapping => Mapping(mapping, scope),
        JinjaCaptured => Captured,
        _ => throw new ArgumentOutOfRangeException(nameof(expression), expression, "not a form of expression"),
    };

    private object? Optional(JinjaExpression? expression, JinjaScope scope) =>
        expression is null ? null : Evaluate(expression, scope);

    private object? Choose(JinjaConditional conditional, JinjaScope scope) =>
        IsTrue(conditional.Test, scope) ? Evaluate(conditional.Then, scope)
        : conditional.Otherwise is { } otherwise ? Evaluate(otherwise, scope)
        : new JinjaUndefined("the inline if has no else, and its test is false");

    private JinjaDict Mapping(JinjaMapping mapping, JinjaScope scope)
    {
        var made = new JinjaDict();
        foreach (var (key, value) in mapping.Pairs)
        {
            made[Evaluate(key, scope)] = Evaluate(value, scope);
        }

        return made;
    }

    private static object? Unary(JinjaUnary unary, object? value) => unary.Operator switch
    {
        "not" => !PythonRules.IsTrue(value),
        _ when value is JinjaUndefined undefined => throw new JinjaFault(undefined.Message),
        "-" when PythonNumbers.IsNumber(value) => PythonNumbers.Negate(value!),
        "+" when PythonNumbers.IsNumber(value) => value is bool ? PythonNumbers.ToWhole(value) : value,
        _ => throw new JinjaFault($"'{unary.Operator}' needs a number, found {PythonRules.TypeName(value)}"),
    };

    private object? Binary(JinjaBinary binary, JinjaScope scope)
    {
        var left = Evaluate(binary.Left, scope);
        return binary.Operator switch
        {
            "and" => PythonRules.IsTrue(left) ? Evaluate(binary.Right, scope) : left,
            "or" => PythonRules.IsTrue(left) ? left : Evaluate(binary.Right, scope),
            _ => Arithmetic(binary.Operator, left, Evaluate(binary.Right, scope)),
        };
    }

    private object Arithmetic(string op, object? left, object? right)
    {
        switch (left, right)
        {
            case (JinjaUndefined undefined, _):
                throw new JinjaFault(undefined.Message);
            case (MarkedText format, _) when op == "%":
                return TextFormat.Percent(context, format, right);
            case (_, JinjaUndefined undefined):
                throw new JinjaFault(undefined.Message);
            case (MarkedText a, MarkedText b) when op == "+":
                return context.Join([a, b], MarkedText.Empty);
            case (JinjaList a, JinjaList b) when op == "+" && a.IsTuple == b.IsTuple:
                context.Budget.Step(a.Items.Count + b.Items.Count);
                return new JinjaList([.. a.Items, .. b.Items], a.IsTuple);
            case (MarkedText text, _) when op == "*" && PythonNumbers.ToWhole(right) is { } times:
                return Repeat(text, times);
            case (_, MarkedText text) when op == "*" && PythonNumbers.ToWhole(left) is { } times:
                return Repeat(text, times);
            case (JinjaList list, _) when op == "*" && PythonNumbers.ToWhole(right) is { } times:
                return Repeat(list, times);
            case (_, JinjaList list) when op == "*" && PythonNumbers.ToWhole(left) is { } times:
                return Repeat(list, times);
            default:
                return PythonNumbers.IsNumber(left) && PythonNumbers.IsNumber(right)
                    ? PythonNumbers.Compute(op, left!, right!)
                    : throw new JinjaFault($"'{op}' does not go with {PythonRules.TypeName(left)} and "
                        + PythonRules.TypeName(right));
        }
    }

    private MarkedText Repeat(MarkedText text, long times)
    {
        var repeated = context.NewText();
        for (var i = 0L; i < times; i++)
        {
            context.Budget.Step(1);
            repeated.Append(text);
        }

        return repeated.ToText();
    }

    private JinjaList Repeat(JinjaList list, long times)
    {
        times = Math.Clamp(times, 0, JinjaBudget.MostSteps);
        context.Budget.Step(times * Math.Max(list.Items.Count, 1));
        return list with { Items = [.. Enumerable.Repeat(list.Items, (int)times).SelectMany(items => items)] };
    }

    private bool Compare(JinjaComparison comparison, JinjaScope scope)
    {
        var left = Evaluate(comparison.First, scope);
        foreach (var (op, operand) in comparison.Rest)
        {
            var right = Evaluate(operand, scope);
            if (!Holds(op, left, right))
            {
                return false;
            }

            left = right;
        }

        return true;
    }

    private bool Holds(string op, object? left, object? right) => op switch
    {
        "==" => context.Rules.AreEqual(left, right),
        "!=" => !context.Rules.AreEqual(left, right),
        "in" => context.Rules.Contains(right, left),
        "not in" => !context.Rules.Contains(right, left),
        "<" => context.Rules.Compare(left, right) < 0,
        "<=" => context.Rules.Compare(left, right) <= 0,
        ">" => context.Rules.Compare(left, right) > 0,
        _ => context.Rules.Compare(left, right) >= 0,
    };
}
