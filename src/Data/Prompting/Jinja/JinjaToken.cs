namespace SafeLlama.Data;

/// <summary>What a token of a template is.</summary>
internal enum JinjaTokenKind
{
    /// <summary>Text between tags, whitespace control already applied.</summary>
    Data,

    /// <summary><c>{{</c></summary>
    VariableBegin,

    /// <summary><c>}}</c></summary>
    VariableEnd,

    /// <summary><c>{%</c></summary>
    BlockBegin,

    /// <summary><c>%}</c></summary>
    BlockEnd,

    /// <summary>A name or a keyword.</summary>
    Name,

    /// <summary>A string literal, its escapes resolved.</summary>
    String,

    /// <summary>A whole number.</summary>
    Integer,

    /// <summary>A number with a fraction or an exponent.</summary>
    Float,

    /// <summary>An operator or a bracket.</summary>
    Operator,

    /// <summary>The end of the source.</summary>
    End,
}

/// <summary>One token and where it stands.</summary>
internal readonly record struct JinjaToken(JinjaTokenKind Kind, string Text, JinjaPlace Place)
{
    public bool IsName(string name) => Kind == JinjaTokenKind.Name && Text == name;

    public bool IsOperator(string text) => Kind == JinjaTokenKind.Operator && Text == text;

    /// <summary>The token as an error names it.</summary>
    public string Shown => Kind switch
    {
        JinjaTokenKind.End => "the end of the template",
        JinjaTokenKind.BlockEnd => "'%}'",
        JinjaTokenKind.VariableEnd => "'}}'",
        JinjaTokenKind.String => $"the string '{UnicodeText.Shown(Text)}'",
        _ => $"'{UnicodeText.Shown(Text)}'",
    };
}
