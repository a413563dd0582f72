using SafeLlama.Model;

namespace SafeLlama.Inference;

/// <summary>The README of an exported folder: what the model is and how it must be asked.</summary>
public static class ModelCard
{
    /// <param name="changed">How many weights the adapter changed.</param>
    public static string Write(ExportRequest request, LlamaConfig config, int changed)
    {
        var name = NameOf(request.Model);
        var made = request.Adapter is { } adapter
            ? $"The base `{name}` with the LoRA adapter `{NameOf(adapter)}` folded in: {changed} weights changed."
            : $"`{name}`, as it was.";
        return $"""
            ---
            library_name: transformers
            pipeline_tag: text-generation
            ---
            # {name}

            {made}

            - LLaMA, {config.ParameterCount:N0} weights, {config.Layers} layers, {config.HiddenSize} wide, context
              {config.MaxPositions} tokens
            - prompts are put as the template `{Path.GetFileName(request.Template!.Name)}` of SafeLlama puts them;
              `chat_template.jinja` says the same
            - `generation_config.json` decodes greedily

            A space or a line break after the prompt's end makes another prompt, and can undo a fine-tune: use the chat
            template. Before you publish the folder, add the license of the base (its own card, if it had one, is
            `README.base.md`) and of the data, and what the model was evaluated on.

            """.ReplaceLineEndings("\n");
    }

    private static string NameOf(string path) =>
        Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
}
