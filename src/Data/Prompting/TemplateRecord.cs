using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>The template that a trained folder was trained with, kept beside its weights.</summary>
/// <remarks>
/// <c>prompt_template.json</c> names it: <c>{"template": "llama2"}</c>. A template of the user's own travels whole: an
/// Alpaca template with its four fields, a Jinja template as <c>chat_template.jinja</c>, whose SHA-256 the file gives.
/// A named template is written as <c>chat_template.jinja</c> too, for other programs.
/// </remarks>
public static class TemplateRecord
{
    /// <summary>The name of the file.</summary>
    public const string FileName = "prompt_template.json";

    private const string Jinja = "jinja";
    private const string AlpacaFile = "alpaca-file";

    /// <summary>Writes the record into a folder; nothing where no template was used.</summary>
    /// <exception cref="SafeLlamaException">The folder cannot be written.</exception>
    public static void Save(string folder, PromptTemplate? template)
    {
        if (template is null)
        {
            return;
        }

        OutputFile.WriteText(Path.Combine(folder, ChatTemplateFile.FileName), template.Jinja);
        OutputFile.WriteJson(Path.Combine(folder, FileName), template switch
        {
            JinjaTemplate jinja => new TemplateFields(Jinja) { Sha256 = ContentHash.OfText(jinja.Source) },
            AlpacaTemplate alpaca when !PromptTemplate.Names.Contains(alpaca.Name) => new TemplateFields(AlpacaFile)
            {
                Identity = alpaca.Identity,
                Description = alpaca.Description,
                PromptInput = alpaca.PromptInput,
                PromptNoInput = alpaca.PromptNoInput,
                ResponseSplit = alpaca.ResponseSplit,
            },
            _ => new TemplateFields(template.Name),
        });
    }

    /// <summary>
    /// Copies the record of one folder, and the template it names, to another; nothing where it has none. A
    /// <c>chat_template.jinja</c> that is there already stays, unless the record needs its own.
    /// </summary>
    public static void Copy(string from, string to)
    {
        var record = Path.Combine(from, FileName);
        if (!File.Exists(record))
        {
            return;
        }

        OutputFile.WriteText(Path.Combine(to, FileName), File.ReadAllText(record));
        var source = Path.Combine(from, ChatTemplateFile.FileName);
        var target = Path.Combine(to, ChatTemplateFile.FileName);
        var isNeeded = ConfigField.Read(record, root => root["template"].Text()) == Jinja;
        if (File.Exists(source) && (isNeeded || !File.Exists(target)))
        {
            OutputFile.WriteText(target, File.ReadAllText(source));
        }
    }

    /// <summary>The template that a folder records; null where it records none.</summary>
    /// <param name="folder">The folder of an adapter or a model.</param>
    /// <param name="model">The model's folder, whose special tokens a Jinja template writes.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <exception cref="SafeLlamaException">The record is broken, or its template was changed.</exception>
    public static PromptTemplate? Find(string folder, string model, ITokenizer tokenizer)
    {
        var file = Path.Combine(folder, FileName);
        return File.Exists(file) ? ConfigField.Read(file, Read) : null;

        PromptTemplate Read(ConfigField root)
        {
            var name = root["template"].Text();
            return name switch
            {
                Jinja => ReadJinja(root["sha256"]),
                AlpacaFile => AlpacaTemplate.Create(
                    file, root["description"].Text(), root["prompt_input"].Text(), root["prompt_no_input"].Text(),
                    root["response_split"].Text(), root["identity"].Text()),
                _ when PromptTemplate.Names.Contains(name) => PromptTemplate.Load(name),
                _ => throw root["template"].Wrong(
                    $"expected {Jinja}, {AlpacaFile}, {string.Join(", ", PromptTemplate.Names)}",
                    "Name the template that the model was trained with."),
            };
        }

        JinjaTemplate ReadJinja(ConfigField hash)
        {
            var template = ChatTemplateFile.Read(Path.Combine(folder, ChatTemplateFile.FileName), model);
            return ContentHash.OfText(template.Source) == hash.Text()
                ? new JinjaTemplate(template, tokenizer)
                : throw SafeLlamaException.InvalidData(
                    $"{template.Where}: is not the template that {FileName} beside it records (sha256 "
                    + $"{UnicodeText.Shown(hash.Text())}); restore it, or delete {FileName} to use it as it is.");
        }
    }
}
