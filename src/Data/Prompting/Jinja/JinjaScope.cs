namespace SafeLlama.Data;

/// <summary>The variables of a block; it also gives access to those of the blocks around it.</summary>
internal sealed class JinjaScope(JinjaScope? outer)
{
    private readonly Dictionary<string, object?> _values = new(StringComparer.Ordinal);

    public object? this[string name]
    {
        get
        {
            for (var scope = this; scope is not null; scope = scope.Outer)
            {
                if (scope._values.TryGetValue(name, out var value))
                {
                    return value;
                }
            }

            return new JinjaUndefined($"'{UnicodeText.Shown(name)}' is undefined");
        }

        set => _values[name] = value;
    }

    private JinjaScope? Outer { get; } = outer;
}
