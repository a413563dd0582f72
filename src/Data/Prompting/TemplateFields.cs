namespace SafeLlama.Data;

/// <summary><c>prompt_template.json</c>: the template that an adapter or a model was trained with.</summary>
/// <param name="Template">A template's name, <c>jinja</c> for the file beside it, or <c>alpaca-file</c> for the fields
/// below.</param>
public sealed record TemplateFields(string Template)
{
    /// <summary>The version of this form.</summary>
    [System.Text.Json.Serialization.JsonPropertyOrder(-1)]
    public int Format { get; init; } = 1;

    /// <summary>Of <c>chat_template.jinja</c>; absent where it is not needed.</summary>
    public string? Sha256 { get; init; }

    /// <summary>Of an Alpaca template.</summary>
    public string? Identity { get; init; }

    /// <summary>What the template is for.</summary>
    public string? Description { get; init; }

    /// <summary>The frame of a row with an input.</summary>
    public string? PromptInput { get; init; }

    /// <summary>The frame of a row without one.</summary>
    public string? PromptNoInput { get; init; }

    /// <summary>What stands before an answer.</summary>
    public string? ResponseSplit { get; init; }
}
