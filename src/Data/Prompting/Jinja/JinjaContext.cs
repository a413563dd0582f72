namespace SafeLlama.Data;

/// <summary>The state of a rendering that filters, tests and methods use.</summary>
internal sealed class JinjaContext
{
    public JinjaContext()
    {
        Budget = new JinjaBudget();
        Rules = new PythonRules(Budget);
        Printer = new PythonPrinter(Budget);
    }

    public JinjaBudget Budget { get; }

    public PythonRules Rules { get; }

    public PythonPrinter Printer { get; }

    public MarkedTextBuilder NewText() => new(Budget);

    /// <summary>An argument that must be a text.</summary>
    public static MarkedText AsText(object? value, string what) => value switch
    {
        MarkedText text => text,
        JinjaUndefined undefined => throw new JinjaFault(undefined.Message),
        _ => throw new JinjaFault($"{what} needs a string, found {PythonRules.TypeName(value)}"),
    };

    /// <summary>An argument that must be a whole number.</summary>
    public static long AsWhole(object? value, string what) => PythonNumbers.ToWhole(value)
        ?? throw new JinjaFault(value is JinjaUndefined undefined
            ? undefined.Message
            : $"{what} needs a whole number, found {PythonRules.TypeName(value)}");

    /// <summary>A path such as <c>function.name</c> or <c>0</c>, as <c>map(attribute=…)</c> takes it.</summary>
    public object? Path(object? target, object? path)
    {
        if (PythonNumbers.ToWhole(path) is { } place)
        {
            return JinjaAttributes.Item(this, target, place);
        }

        foreach (var part in AsText(path, "an attribute").Value.Split('.'))
        {
            target = long.TryParse(part, out var number)
                ? JinjaAttributes.Item(this, target, number)
                : JinjaAttributes.Item(this, target, new MarkedText(part));
        }

        return target;
    }

    /// <summary>The items joined, each as text.</summary>
    public MarkedText Join(IReadOnlyList<MarkedText> items, MarkedText separator)
    {
        var joined = NewText();
        for (var i = 0; i < items.Count; i++)
        {
            if (i > 0)
            {
                joined.Append(separator);
            }

            joined.Append(items[i]);
        }

        return joined.ToText();
    }
}
