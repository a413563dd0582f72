namespace SafeLlama.Data;

/// <summary>What a piece of a template's form stands for.</summary>
public enum TemplatePartKind
{
    /// <summary>The template's own text, control tokens spelled out.</summary>
    Text,

    /// <summary>The token that begins a sequence.</summary>
    Begin,

    /// <summary>The token that ends one.</summary>
    End,

    /// <summary>The user's request.</summary>
    User,

    /// <summary>The system message.</summary>
    System,

    /// <summary>The answer.</summary>
    Answer,
}

/// <summary>A piece of a template's form.</summary>
/// <param name="Text">Of the template's own text; else empty.</param>
/// <param name="TrimStart">Whether white space before the given text is dropped.</param>
/// <param name="TrimEnd">Whether white space after it is.</param>
public readonly record struct TemplatePart(
    TemplatePartKind Kind, string Text = "", bool TrimStart = false, bool TrimEnd = false);
