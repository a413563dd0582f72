namespace SafeLlama.Data;

/// <summary>Python's rules for values: truth, equality, order, membership, iteration.</summary>
internal sealed class PythonRules(JinjaBudget budget)
{
    public static bool IsTrue(object? value) => value switch
    {
        null or JinjaUndefined => false,
        bool truth => truth,
        long number => number != 0,
        double number => number != 0,
        MarkedText text => text.Value.Length > 0,
        JinjaList list => list.Items.Count > 0,
        JinjaDict dict => dict.Count > 0,
        _ => true,
    };

    public static string TypeName(object? value) => value switch
    {
        null => "none",
        JinjaUndefined => "an undefined value",
        bool => "a truth value",
        long => "a whole number",
        double => "a number",
        MarkedText => "a string",
        JinjaList { IsTuple: true } => "a tuple",
        JinjaList => "a list",
        JinjaDict => "a dictionary",
        JinjaStream => "a generator",
        JinjaNamespace => "a namespace",
        JinjaLoop => "a loop",
        _ => "a function",
    };

    /// <summary>Equality; values of different kinds are unequal, except numbers and truth values.</summary>
    public bool AreEqual(object? a, object? b)
    {
        budget.Enter();
        var equal = (a, b) switch
        {
            (null, null) => true,
            (JinjaUndefined, JinjaUndefined) => true,
            (MarkedText x, MarkedText y) => x.Value == y.Value,
            (JinjaList x, JinjaList y) => x.IsTuple == y.IsTuple && x.Items.Count == y.Items.Count
                && x.Items.Zip(y.Items).All(pair => AreEqual(pair.First, pair.Second)),
            (JinjaDict x, JinjaDict y) => x.Count == y.Count
                && x.Items.All(item => y.TryGet(JinjaKeys.Value(item.Key), out var other)
                    && AreEqual(item.Value, other)),
            _ when PythonNumbers.IsNumber(a) && PythonNumbers.IsNumber(b) => PythonNumbers.Compare(a!, b!) == 0,
            _ => ReferenceEquals(a, b),
        };
        budget.Leave();
        return equal;
    }

    /// <summary>Order; null where a number is no number (NaN), which is neither before nor behind.</summary>
    /// <exception cref="JinjaFault">The two have no order.</exception>
    public int? Compare(object? a, object? b)
    {
        budget.Enter();
        int? order = (a, b) switch
        {
            (MarkedText x, MarkedText y) => PythonText.Compare(x.Value, y.Value),
            (JinjaList x, JinjaList y) when x.IsTuple == y.IsTuple => CompareLists(x, y),
            _ when PythonNumbers.IsNumber(a) && PythonNumbers.IsNumber(b) => PythonNumbers.Compare(a!, b!),
            _ => throw Wrong(a, b, "cannot be compared with"),
        };
        budget.Leave();
        return order;
    }

    /// <summary>Whether <paramref name="item"/> is in a text, a list or the keys of a dictionary.</summary>
    public bool Contains(object? container, object? item) => container switch
    {
        MarkedText text when item is MarkedText part =>
            Charged(text).Value.Contains(part.Value, StringComparison.Ordinal),
        MarkedText => throw Wrong(item, container, "cannot be looked for in"),
        JinjaDict dict => dict.TryGet(item, out _),
        _ => Iterate(container).Any(other => AreEqual(item, other)),
    };

    /// <summary>The items of a list, the characters of a text, the keys of a dictionary.</summary>
    /// <exception cref="JinjaFault">The value has no items.</exception>
    public IReadOnlyList<object?> Iterate(object? value)
    {
        budget.Step(Length(value) ?? 0);
        return value switch
        {
            JinjaList list => list.Items,
            JinjaStream stream => stream.Take(),
            JinjaDict dict => [.. dict.Items.Select(item => JinjaKeys.Value(item.Key))],
            MarkedText text => [.. text.Characters()],
            JinjaUndefined => (IReadOnlyList<object?>)[],
            _ => throw new JinjaFault($"{TypeName(value)} has no items to go through"),
        };
    }

    /// <summary>The number of items; null where the value has none.</summary>
    public static long? Length(object? value) => value switch
    {
        MarkedText text => text.Length,
        JinjaList list => list.Items.Count,
        JinjaDict dict => dict.Count,
        JinjaUndefined => 0,
        JinjaLoop loop => loop.Length,
        _ => null,
    };

    private static JinjaFault Wrong(object? a, object? b, string what) =>
        a is JinjaUndefined { Message: var first } ? new JinjaFault(first)
        : b is JinjaUndefined { Message: var second } ? new JinjaFault(second)
        : new JinjaFault($"{TypeName(a)} {what} {TypeName(b)}");

    private int? CompareLists(JinjaList a, JinjaList b)
    {
        foreach (var (first, second) in a.Items.Zip(b.Items))
        {
            if (!AreEqual(first, second))
            {
                return Compare(first, second);
            }
        }

        return a.Items.Count.CompareTo(b.Items.Count);
    }

    private MarkedText Charged(MarkedText text)
    {
        budget.Charge(text.Value.Length, 0);
        return text;
    }
}
