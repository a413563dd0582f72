using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>The chat template that a model folder brings, in Jinja, and the special tokens that it may write.</summary>
/// <param name="Where">The file it stands in.</param>
/// <param name="Source">The template.</param>
/// <param name="SpecialTokens">
/// <c>bos_token</c> and its kin by name, as <c>tokenizer_config.json</c> and <c>special_tokens_map.json</c> spell them.
/// </param>
public sealed record ChatTemplateFile(
    string Where, string Source, IReadOnlyDictionary<string, string> SpecialTokens)
{
    /// <summary>
    /// Whether a runtime puts the beginning token before a prompt that does not begin with it, as llama.cpp does where
    /// a GGUF file says so.
    /// </summary>
    public bool RuntimeBegins { get; init; }

    /// <summary>The file of a template of its own.</summary>
    public const string FileName = "chat_template.jinja";

    private const string Field = "chat_template";
    private const string ConfigName = "tokenizer_config.json";
    private static readonly string[] Configs = [ConfigName, "special_tokens_map.json"];

    private static readonly string[] TokenFields =
        ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

    /// <summary>The template of a model folder; null where it brings none.</summary>
    /// <remarks>
    /// <c>chat_template.jinja</c> goes before <c>tokenizer_config.json</c>, and that before <c>chat_template.json</c>,
    /// as transformers reads them. A GGUF file holds one in its keys. Of several named templates, <c>default</c> is
    /// taken.
    /// </remarks>
    /// <exception cref="SafeLlamaException">A file is broken, or holds named templates without a default.</exception>
    public static ChatTemplateFile? Find(string folder)
    {
        if (GgufHeader.IsGguf(folder))
        {
            return GgufChatTemplate.Find(GgufHeader.Read(folder).Keys);
        }

        var alone = Path.Combine(folder, FileName);
        if (File.Exists(alone))
        {
            return Read(alone, folder);
        }

        foreach (var name in new[] { ConfigName, "chat_template.json" })
        {
            var file = Path.Combine(folder, name);
            if (File.Exists(file) && ConfigField.Read(file, root => Template(root[Field], file)) is { } source)
            {
                return new ChatTemplateFile(file, source, TokensOf(folder));
            }
        }

        return null;
    }

    /// <summary>A template from a file, with the special tokens of a model folder.</summary>
    /// <exception cref="SafeLlamaException">The file cannot be read, or is no UTF-8.</exception>
    public static ChatTemplateFile Read(string file, string folder) =>
        new(file, TextFile.Read(file).Text, TokensOf(folder));

    private static string? Template(ConfigField field, string file)
    {
        if (!field.IsArray)
        {
            return field.IsMissing ? null : field.Text();
        }

        var named = field.Items().Select(item => (Name: item["name"].Text(), Source: item["template"].Text())).ToList();
        var found = named.FirstOrDefault(item => item.Name == "default").Source;
        return found ?? throw SafeLlamaException.InvalidData(
            $"{file}: \"{Field}\" has no template named default, but "
            + $"{UnicodeText.Shown(string.Join(", ", named.Select(item => item.Name)))}; "
            + "copy the one to use to a file that ends in .jinja, and name that file as the template.");
    }

    private static Dictionary<string, string> TokensOf(string folder)
    {
        var tokens = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in Configs.Select(name => Path.Combine(folder, name)).Where(File.Exists))
        {
            ConfigField.Read(file, root =>
            {
                foreach (var name in TokenFields.Where(name => !root[name].IsMissing))
                {
                    tokens.TryAdd(name, root[name].IsText ? root[name].Text() : root[name]["content"].Text());
                }

                return true;
            });
        }

        return tokens;
    }
}
