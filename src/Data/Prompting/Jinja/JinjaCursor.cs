namespace SafeLlama.Data;

/// <summary>Reads tokens one after another, and bounds how deep a template may nest.</summary>
internal sealed class JinjaCursor(IReadOnlyList<JinjaToken> tokens)
{
    private const int DeepestNesting = 100;
    private int _at;
    private int _depth;

    public JinjaToken Current => tokens[_at];

    public JinjaToken Next => tokens[Math.Min(_at + 1, tokens.Count - 1)];

    public JinjaToken Take()
    {
        var token = tokens[_at];
        _at = Math.Min(_at + 1, tokens.Count - 1);
        return token;
    }

    public bool SkipName(string name) => Skip(Current.IsName(name));

    public bool SkipOperator(string text) => Skip(Current.IsOperator(text));

    public string TakeName() => Current.Kind == JinjaTokenKind.Name ? Take().Text : throw Expected("a name");

    public void ExpectOperator(string text)
    {
        if (!SkipOperator(text))
        {
            throw Expected($"'{text}'");
        }
    }

    public void Expect(JinjaTokenKind kind, string shown)
    {
        if (!Skip(Current.Kind == kind))
        {
            throw Expected($"'{shown}'");
        }
    }

    public JinjaFault Expected(string what) => new($"found {Current.Shown}, expected {what}", Current.Place);

    /// <summary>Runs a part of the parser one level deeper.</summary>
    public T Nest<T>(Func<T> parse)
    {
        if (++_depth > DeepestNesting)
        {
            throw new JinjaFault($"the template nests deeper than {DeepestNesting} levels", Current.Place);
        }

        var parsed = parse();
        _depth--;
        return parsed;
    }

    private bool Skip(bool matches)
    {
        if (matches)
        {
            Take();
        }

        return matches;
    }
}
