using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Inference;

/// <summary>How a model folder is opened.</summary>
public sealed record SessionOptions
{
    /// <summary>A PEFT folder, or null.</summary>
    public string? Adapter { get; init; }

    /// <summary>Whether the adapter gets room for gradients, as <see cref="TokenGradient"/> needs it.</summary>
    public bool ForGradients { get; init; }

    /// <summary>
    /// PEFT folders of which each sequence may choose one over the same weights; not with an adapter.
    /// </summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>Creates a new adapter for training instead; null for none.</summary>
    public Func<IBackend, LlamaWeights, LoraAdapter>? NewAdapter { get; init; }

    /// <summary>The template of prompts where <see cref="TemplateName"/> names or finds none.</summary>
    public PromptTemplate Template { get; init; } = AlpacaTemplate.Standard;

    /// <summary>
    /// A template's name or file, or <see cref="TemplateResolver.Auto"/> to take what adapter and model bring; null
    /// takes <see cref="Template"/>.
    /// </summary>
    public string? TemplateName { get; init; }

    /// <summary>
    /// The longest sequence, prompt and answer together, in tokens; 0 takes what the model was made for, at most
    /// 131,072.
    /// </summary>
    public int MaxLength { get; init; }

    /// <summary>What the model's linears become as they are read.</summary>
    public LoadForm Load { get; init; }

    /// <summary>The session closes the backend, also when opening fails.</summary>
    public bool OwnsBackend { get; init; }
}
