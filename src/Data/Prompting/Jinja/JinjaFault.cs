namespace SafeLlama.Data;

/// <summary>What is wrong with a template, or with what it does; it never leaves <see cref="JinjaProgram"/>.</summary>
/// <remarks>Helpers throw it without a place; the innermost expression or statement adds its own.</remarks>
internal sealed class JinjaFault(string message, JinjaPlace? place = null) : Exception(message)
{
    public JinjaPlace? Place { get; set; } = place;

    /// <summary>True where the template itself refuses its input, through <c>raise_exception</c>.</summary>
    public bool IsRefusal { get; init; }
}
