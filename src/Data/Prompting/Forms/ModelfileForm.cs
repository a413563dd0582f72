using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>A template's form in the language of Ollama's Modelfile, which is Go's.</summary>
/// <remarks>
/// The runtime places the beginning token and appends the answer. Go's language has no trimming here: white space
/// around a request stays.
/// </remarks>
public static class ModelfileForm
{
    /// <exception cref="SafeLlamaException">The template holds three quotes in a row, which would end it.</exception>
    public static string Write(TemplateForm form)
    {
        var first = Text(form.First);
        var text = form.FirstWithSystem is { } system
            ? $"{{{{ if .System }}}}{Text(system)}{{{{ else }}}}{first}{{{{ end }}}}"
            : first;
        return !text.Contains("\"\"\"", StringComparison.Ordinal)
            ? text
            : throw SafeLlamaException.InvalidData(
                "The template holds three quotation marks in a row, which a Modelfile cannot quote. Use another "
                + "template.");
    }

    private static string Text(IReadOnlyList<TemplatePart> parts) => string.Concat(parts.Select(part => part.Kind switch
    {
        TemplatePartKind.Text => part.Text.Replace("{{", "{{ \"{{\" }}", StringComparison.Ordinal),
        TemplatePartKind.User => "{{ .Prompt }}",
        TemplatePartKind.System => "{{ .System }}",
        _ => "",
    }));
}
