namespace SafeLlama.Data;

// The values of a template: null (none), bool, long, double, MarkedText, and the types below.

/// <summary>What a name or an attribute without a value gives.</summary>
/// <param name="Message">What an error says where the value is needed.</param>
internal sealed record JinjaUndefined(string Message);

/// <summary>A list, or a tuple.</summary>
internal sealed record JinjaList(IReadOnlyList<object?> Items, bool IsTuple = false);

/// <summary>What <c>map</c>, <c>select</c> and their kin give: always true, and read once.</summary>
internal sealed class JinjaStream(IReadOnlyList<object?> items)
{
    private IReadOnlyList<object?> _items = items;

    public IReadOnlyList<object?> Take()
    {
        var items = _items;
        _items = [];
        return items;
    }
}

/// <summary>A dictionary in the order of its keys' first appearance.</summary>
internal sealed class JinjaDict
{
    private readonly OrderedDictionary<object, object?> _items = new(JinjaKeys.Instance);

    public IEnumerable<KeyValuePair<object, object?>> Items => _items;

    public int Count => _items.Count;

    /// <exception cref="JinjaFault">The key is a list or another value that can change.</exception>
    public object? this[object? key]
    {
        set => _items[JinjaKeys.Checked(key)] = value;
    }

    public bool TryGet(object? key, out object? value)
    {
        value = null;
        return key is not JinjaUndefined && _items.TryGetValue(JinjaKeys.Checked(key), out value);
    }

    /// <summary>A dictionary with names for keys.</summary>
    public static JinjaDict Of(params IEnumerable<(string Name, object? Value)> fields)
    {
        var made = new JinjaDict();
        foreach (var (name, value) in fields)
        {
            made[new MarkedText(name)] = value;
        }

        return made;
    }
}

/// <summary><c>namespace()</c>: the one thing whose attributes a template may set.</summary>
internal sealed class JinjaNamespace
{
    public Dictionary<string, object?> Attributes { get; } = new(StringComparer.Ordinal);
}

/// <summary>A function, a method or a macro.</summary>
internal sealed record JinjaCallable(string Name, Func<JinjaCallArguments, object?> Invoke);
