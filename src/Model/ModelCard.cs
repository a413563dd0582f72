using System.Text;
using System.Text.Json;
using SafeLlama.Common;

namespace SafeLlama.Model;

/// <summary>The README of a folder for Hugging Face: what the model is, how it was made, what to add to it.</summary>
/// <param name="Title">The model's name.</param>
/// <param name="Made">What it is, in a sentence or more of Markdown.</param>
public sealed record ModelCard(string Title, string Made)
{
    public const string FileName = "README.md";

    /// <summary>The library that loads the folder.</summary>
    public string Library { get; init; } = "transformers";

    /// <summary>The base model's name at Hugging Face; null where it is not known.</summary>
    public string? BaseModel { get; init; }

    /// <summary>Headings, and the Markdown below them; untrusted text in it is escaped.</summary>
    public IReadOnlyList<(string Heading, string Text)> Sections { get; init; } = [];

    /// <summary>What must be added before the folder is published, beside the license.</summary>
    public string? Missing { get; init; }

    /// <summary>What to know of every prompt.</summary>
    /// <param name="template">The template's name.</param>
    public static (string Heading, string Text) Prompts(string template) => ("Prompts", $"""
        Prompts are put as the template {SafeText.ForMarkdown(Path.GetFileName(template))} of SafeLlama puts them;
        `chat_template.jinja` says the same. A space or a line break after the prompt's end makes another prompt, and can
        undo a fine-tune: use the chat template.

        """);

    public override string ToString()
    {
        var text = new StringBuilder($"---\nlibrary_name: {Library}\npipeline_tag: text-generation\n");
        if (BaseModel is not null)
        {
            text.Append($"base_model: {JsonSerializer.Serialize(BaseModel)}\n");
        }

        text.Append("# license: to be filled in, from the licenses of the base and of the data\n---\n");
        text.Append($"# {SafeText.ForMarkdown(Title)}\n\n{Made.TrimEnd()}\n");
        foreach (var (heading, section) in Sections)
        {
            text.Append($"\n## {heading}\n\n{section.TrimEnd()}\n");
        }

        text.Append("\n## Before you publish\n\nFill in the license, which follows from those of the base and of the "
            + $"data. {Missing}".TrimEnd() + "\n");
        return text.ToString().ReplaceLineEndings("\n");
    }
}
