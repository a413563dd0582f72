namespace SafeLlama.Data;

/// <summary>Runs statements and writes what they write.</summary>
internal sealed class JinjaRenderer
{
    private readonly JinjaContext _context;
    private readonly JinjaExpressionEvaluator _expressions;
    private readonly MarkedTextBuilder _root;
    private MarkedTextBuilder _output;

    public JinjaRenderer(JinjaContext context)
    {
        _context = context;
        _expressions = new JinjaExpressionEvaluator(context);
        _root = _output = context.NewText();
    }

    private enum Flow
    {
        Next,
        Break,
        Continue,
    }

    /// <summary>The parts of the text inside <c>{% generation %}</c>, as UTF-16 places.</summary>
    public List<(int Start, int End)> Generations { get; } = [];

    public MarkedText Render(IReadOnlyList<JinjaStatement> statements, JinjaScope scope)
    {
        Run(statements, scope);
        return _root.ToText();
    }

    private Flow Run(IReadOnlyList<JinjaStatement> statements, JinjaScope scope)
    {
        foreach (var statement in statements)
        {
            if (Run(statement, scope) is var flow and not Flow.Next)
            {
                return flow;
            }
        }

        return Flow.Next;
    }

    private Flow Run(JinjaStatement statement, JinjaScope scope)
    {
        try
        {
            _context.Budget.Enter();
            var flow = Execute(statement, scope);
            _context.Budget.Leave();
            return flow;
        }
        catch (JinjaFault fault) when (fault.Place is null)
        {
            fault.Place = statement.Place;
            throw;
        }
    }

    private Flow Execute(JinjaStatement statement, JinjaScope scope)
    {
        switch (statement)
        {
            case JinjaData data:
                _output.Append(data.Text);
                return Flow.Next;
            case JinjaOutput output:
                _output.Append(_context.Printer.Text(_expressions.Evaluate(output.Value, scope)));
                return Flow.Next;
            case JinjaIf branches:
                return RunIf(branches, scope);
            case JinjaFor loop:
                return RunFor(loop, scope);
            case JinjaSet set:
                Assign(set.Target, _expressions.Evaluate(set.Value, scope), scope);
                return Flow.Next;
            case JinjaSetBlock set:
                Assign(set.Target, Filtered(set.Filter, set.Body, scope), scope);
                return Flow.Next;
            case JinjaFilterBlock filter:
                _output.Append(_context.Printer.Text(Filtered(filter.Filter, filter.Body, scope)));
                return Flow.Next;
            case JinjaWith with:
                return RunWith(with, scope);
            case JinjaMacro macro:
                scope[macro.Name] = Macro(macro.Name, macro.Parameters, macro.Body, scope);
                return Flow.Next;
            case JinjaCallBlock call:
                RunCall(call, scope);
                return Flow.Next;
            case JinjaGeneration generation:
                return RunGeneration(generation, scope);
            case JinjaJump jump:
                return jump.IsBreak ? Flow.Break : Flow.Continue;
            default:
                throw new ArgumentOutOfRangeException(nameof(statement), statement, "not a form of statement");
        }
    }

    private Flow RunIf(JinjaIf branches, JinjaScope scope)
    {
        foreach (var (test, body) in branches.Branches)
        {
            if (_expressions.IsTrue(test, scope))
            {
                return Run(body, scope);
            }
        }

        return Run(branches.Otherwise, scope);
    }

    private Flow RunFor(JinjaFor loop, JinjaScope scope)
    {
        var items = _context.Rules.Iterate(_expressions.Evaluate(loop.Items, scope));
        if (loop.Test is { } test)
        {
            items = [.. items.Where(item =>
            {
                var inner = new JinjaScope(scope);
                Assign(loop.Target, item, inner);
                return _expressions.IsTrue(test, inner);
            })];
        }

        var state = new JinjaLoop(items);
        for (var i = 0; i < items.Count; i++)
        {
            state.Index = i;
            var inner = new JinjaScope(scope);
            inner["loop"] = state;
            Assign(loop.Target, items[i], inner);
            if (Run(loop.Body, inner) == Flow.Break)
            {
                break;
            }
        }

        return items.Count == 0 ? Run(loop.Otherwise, new JinjaScope(scope)) : Flow.Next;
    }

    private Flow RunWith(JinjaWith with, JinjaScope scope)
    {
        var inner = new JinjaScope(scope);
        foreach (var (target, value) in with.Values)
        {
            Assign(target, _expressions.Evaluate(value, scope), inner);
        }

        return Run(with.Body, inner);
    }

    private Flow RunGeneration(JinjaGeneration generation, JinjaScope scope)
    {
        var start = _root.Length;
        var flow = Run(generation.Body, new JinjaScope(scope));
        if (ReferenceEquals(_output, _root))
        {
            Generations.Add((start, _root.Length));
        }

        return flow;
    }

    private void RunCall(JinjaCallBlock call, JinjaScope scope)
    {
        var target = _expressions.Evaluate(call.Call.Target, scope);
        var arguments = _expressions.Arguments(call.Call.Arguments, scope);
        var caller = Macro("caller", call.Parameters, call.Body, scope);
        _output.Append(_context.Printer.Text(JinjaExpressionEvaluator.Call(
            target, arguments with { Named = [.. arguments.Named, ("caller", caller)] })));
    }

    private JinjaCallable Macro(
        string name, JinjaParameters parameters, IReadOnlyList<JinjaStatement> body, JinjaScope scope)
    {
        var names = parameters.Items.Select(parameter => parameter.Name).ToArray();
        return new JinjaCallable(name, arguments =>
        {
            var inner = new JinjaScope(scope);
            if (!names.Contains("caller")
                && arguments.Named.FirstOrDefault(argument => argument.Name == "caller").Value is { } caller)
            {
                inner["caller"] = caller;
                arguments = arguments with { Named = [.. arguments.Named.Where(other => other.Name != "caller")] };
            }

            var values = arguments.Bind($"the macro {name}", 0, names);
            for (var i = 0; i < names.Length; i++)
            {
                inner[names[i]] = values[i] != JinjaCallArguments.Absent ? values[i]
                    : parameters.Items[i].Otherwise is { } otherwise ? _expressions.Evaluate(otherwise, inner)
                    : new JinjaUndefined($"the parameter '{names[i]}' was not given");
            }

            return Capture(body, inner);
        });
    }

    private object? Filtered(JinjaExpression? filter, IReadOnlyList<JinjaStatement> body, JinjaScope scope)
    {
        var text = Capture(body, new JinjaScope(scope));
        if (filter is null)
        {
            return text;
        }

        _expressions.Captured = text;
        return _expressions.Evaluate(filter, scope);
    }

    private MarkedText Capture(IReadOnlyList<JinjaStatement> body, JinjaScope scope)
    {
        var outer = _output;
        _output = _context.NewText();
        Run(body, scope);
        var text = _output.ToText();
        _output = outer;
        return text;
    }

    private void Assign(JinjaTarget target, object? value, JinjaScope scope)
    {
        if (target.Parts.Count > 0)
        {
            var items = _context.Rules.Iterate(value);
            if (items.Count != target.Parts.Count)
            {
                throw new JinjaFault($"{target.Parts.Count} names are given {items.Count} values", target.Place);
            }

            for (var i = 0; i < items.Count; i++)
            {
                Assign(target.Parts[i], items[i], scope);
            }
        }
        else if (target.Attribute is not { } attribute)
        {
            scope[target.Name] = value;
        }
        else if (scope[target.Name] is JinjaNamespace space)
        {
            space.Attributes[attribute] = value;
        }
        else
        {
            throw new JinjaFault(
                $"'{UnicodeText.Shown(target.Name)}' is no namespace, so its attributes cannot be set", target.Place);
        }
    }
}
