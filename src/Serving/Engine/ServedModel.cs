using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Inference;

namespace SafeLlama.Serving;

/// <summary>An id that clients may ask: the base, or the base with one of the adapters.</summary>
/// <param name="Id">The name.</param>
/// <param name="Adapter">Its place among the session's choices; −1 for the base.</param>
/// <param name="Template">How a conversation is put to it.</param>
/// <param name="EndTokens">The ids that end its answers.</param>
public sealed record ServedModel(string Id, int Adapter, PromptTemplate Template, IReadOnlyList<int> EndTokens)
{
    /// <summary>The base and one id for each adapter.</summary>
    /// <param name="session">Opened with the adapters' folders as its choices, in this order.</param>
    /// <param name="folder">The base's folder or file, which names it.</param>
    /// <param name="adapters">Ids and folders of the adapters.</param>
    /// <param name="template">A template's name, or <see cref="TemplateResolver.Auto"/>.</param>
    /// <param name="notes">Receives which template each id has, a line each.</param>
    /// <exception cref="SafeLlamaException">Two have one id, or a template is missing or broken.</exception>
    public static IReadOnlyList<ServedModel> Of(
        LlamaSession session, string folder, IReadOnlyList<(string Id, string Folder)> adapters, string template,
        Action<string> notes)
    {
        var models = new List<ServedModel>();
        IEnumerable<(string Id, string? Folder)> all = [(NameOf(folder), null), .. adapters];
        foreach (var (id, adapter) in all)
        {
            if (models.Exists(m => m.Id == id))
            {
                throw SafeLlamaException.Usage(
                    $"Two models are called {id}; each needs an id of its own.", "give `Adapter` as NAME=DIR");
            }

            var chosen = TemplateResolver.Choose(template, session.Tokenizer, folder, adapter);
            foreach (var note in chosen.Notes)
            {
                notes($"{id}: {note}");
            }

            models.Add(new(id, models.Count - 1, chosen.Template, session.EndTokensOf(chosen.Template)));
        }

        return models;
    }

    /// <summary>
    /// An adapter's id and folder, from <c>NAME=DIR</c> or from a folder alone; the <c>adapter</c> folder of a run has
    /// the run's name.
    /// </summary>
    public static (string Id, string Folder) ParseAdapter(string text)
    {
        // Folders are often called after a setting, such as runs/lr=1e-4.
        var at = Directory.Exists(text) ? -1 : text.IndexOf('=', StringComparison.Ordinal);
        return at > 0 ? (text[..at], text[(at + 1)..]) : (NameOf(text), text);
    }

    private static string NameOf(string path)
    {
        var full = Path.GetFullPath(path).TrimEnd(Path.DirectorySeparatorChar);
        var name = Path.GetFileName(full);
        return name == "adapter" && Path.GetFileName(Path.GetDirectoryName(full)) is { Length: > 0 } run ? run
            : Directory.Exists(full) ? name : Path.GetFileNameWithoutExtension(full);
    }
}
