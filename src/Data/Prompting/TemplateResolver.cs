using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>The template of a run, and the reason for the choice.</summary>
/// <param name="Template">The template.</param>
/// <param name="Reason">Where it comes from, in a few words.</param>
/// <param name="Notes">Remarks for the user, one line each; the first names the template.</param>
public sealed record ChosenTemplate(PromptTemplate Template, string Reason, IReadOnlyList<string> Notes);

/// <summary>Chooses the template of a run.</summary>
/// <remarks>
/// <see cref="Auto"/> takes, in this order, what the adapter was trained with, what the model was trained with here,
/// the chat template that the model brings, and alpaca.
/// </remarks>
public static class TemplateResolver
{
    /// <summary>The name that lets the adapter and the model decide.</summary>
    public const string Auto = "auto";

    /// <param name="asked"><see cref="Auto"/>, a template's name, a Jinja file or an Alpaca template's file.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="model">The model's folder, or its GGUF file.</param>
    /// <param name="adapter">The adapter's folder, or null.</param>
    /// <param name="otherwise">What <see cref="Auto"/> takes where nothing is found; null for alpaca.</param>
    /// <exception cref="SafeLlamaException">There is no such template, or one that is found is broken.</exception>
    public static ChosenTemplate Choose(
        string asked, ITokenizer tokenizer, string model, string? adapter, PromptTemplate? otherwise = null)
    {
        if (asked != Auto)
        {
            return Noted(Named(asked, tokenizer, model), "as asked", Mismatch);
        }

        return adapter is not null && TemplateRecord.Find(adapter, model, tokenizer) is { } trained
                ? Noted(trained, "the adapter was trained with it", _ => [])
            : TemplateRecord.Find(model, model, tokenizer) is { } kept
                ? Noted(kept, "the model was trained with it", _ => [])
            : ChatTemplateFile.Find(model) is { } file
                ? Noted(new JinjaTemplate(file, tokenizer), "the model's own", _ => [])
            : Noted(otherwise ?? AlpacaTemplate.Standard, "the model brings none", _ => []);

        IEnumerable<string> Mismatch(PromptTemplate chosen)
        {
            foreach (var folder in new[] { adapter, model }.OfType<string>())
            {
                if (TemplateRecord.Find(folder, model, tokenizer) is { } record)
                {
                    return record.WritesAs(chosen) ? [] :
                    [
                        $"{folder}: was trained with the template {record.Name}, and is asked through {chosen.Name}; "
                        + "answers may be poor.",
                    ];
                }
            }

            return [];
        }
    }

    private static ChosenTemplate Noted(
        PromptTemplate template, string reason, Func<PromptTemplate, IEnumerable<string>> mismatch) =>
        new(template, reason, [$"Template: {template.Name} ({reason}).", .. template.Notes(), .. mismatch(template)]);

    private static PromptTemplate Named(string asked, ITokenizer tokenizer, string model) =>
        !PromptTemplate.Names.Contains(asked) && Path.GetExtension(asked) is ".jinja" or ".j2" && File.Exists(asked)
            ? new JinjaTemplate(ChatTemplateFile.Read(asked, model), tokenizer)
            : PromptTemplate.Load(asked);
}
