using SafeLlama.Data;
using SafeLlama.Model;

namespace SafeLlama.Inference;

/// <summary>What is exported.</summary>
public sealed record ExportRequest
{
    /// <summary>A folder in Hugging Face layout, or a GGUF file.</summary>
    public required string Model { get; init; }

    /// <summary>A PEFT folder, or null.</summary>
    public string? Adapter { get; init; }

    /// <summary>The template of prompts; null where the export holds no tokenizer.</summary>
    public PromptTemplate? Template { get; init; }

    /// <summary>Results for the card of a Hugging Face folder, as Markdown.</summary>
    public IReadOnlyList<string> Results { get; init; } = [];

    /// <summary>How matrices are stored; null for the type the base is stored in.</summary>
    public GgufFormat? Format { get; init; }

    /// <summary>How many threads encode; the bytes do not depend on it.</summary>
    public int Threads { get; init; } = 1;
}
