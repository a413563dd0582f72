using System.Text;

namespace SafeLlama.Data;

/// <summary>A template's form in Jinja, as Hugging Face and llama.cpp take it.</summary>
/// <remarks>
/// All text stands inside expressions, so that it is the same whether a renderer trims blocks or not. The answer's
/// frame always follows a request: a prompt is a conversation that ends with the user.
/// </remarks>
public static class JinjaForm
{
    /// <param name="form">What stands around the texts.</param>
    /// <param name="writesBegin">
    /// Whether the template itself begins the sequence: in a Hugging Face folder it does; in GGUF the runtime does.
    /// </param>
    public static string Write(TemplateForm form, bool writesBegin)
    {
        var text = new StringBuilder();
        if (form.FirstWithSystem is null)
        {
            text.Append("{% set turns = messages %}{% if messages[0]['role'] == 'system' %}")
                .Append("{{ raise_exception('This template has no system message.') }}{% endif %}");
        }
        else
        {
            text.Append("{% if messages[0]['role'] == 'system' %}{% set turns = messages[1:] %}")
                .Append("{% else %}{% set turns = messages %}{% endif %}");
        }

        var first = Printed(form.First, writesBegin);
        var later = Printed(form.Later ?? form.First, writesBegin: true);
        text.Append("{% for m in turns %}{% if m['role'] == 'user' %}");
        if (form.FirstWithSystem is { } system)
        {
            text.Append("{% if loop.first and messages[0]['role'] == 'system' %}")
                .Append(Printed(system, writesBegin))
                .Append($"{{% elif loop.first %}}{first}{{% else %}}{later}{{% endif %}}");
        }
        else
        {
            text.Append(first == later ? first : $"{{% if loop.first %}}{first}{{% else %}}{later}{{% endif %}}");
        }

        return text.Append($"{{% else %}}{Printed(form.Answer, writesBegin: true)}{{% endif %}}{{% endfor %}}")
            .ToString();
    }

    private static string Printed(IReadOnlyList<TemplatePart> parts, bool writesBegin) =>
        $"{{{{ {Expression(parts, writesBegin)} }}}}";

    /// <summary>The parts joined; a leading beginning token is left out where it is another's to place.</summary>
    private static string Expression(IReadOnlyList<TemplatePart> parts, bool writesBegin)
    {
        var written = parts.Where((part, i) => writesBegin || i > 0 || part.Kind != TemplatePartKind.Begin)
            .Select(Term).ToList();
        return written.Count == 0 ? "''" : string.Join(" + ", written);
    }

    private static string Term(TemplatePart part) => part.Kind switch
    {
        TemplatePartKind.Begin => "bos_token",
        TemplatePartKind.End => "eos_token",
        TemplatePartKind.Text => Quoted(part.Text),
        TemplatePartKind.System => "messages[0]['content']" + Trim(part),
        _ => "m['content']" + Trim(part),
    };

    private static string Trim(TemplatePart part) => (part.TrimStart, part.TrimEnd) switch
    {
        (true, true) => " | trim",
        (true, false) => ".lstrip()",
        (false, true) => ".rstrip()",
        _ => "",
    };

    private static string Quoted(string text)
    {
        (string Is, string Written)[] escapes =
            [("\\", "\\\\"), ("'", "\\'"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")];
        return $"'{escapes.Aggregate(text, (t, e) => t.Replace(e.Is, e.Written, StringComparison.Ordinal))}'";
    }
}
