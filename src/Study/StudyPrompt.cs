using SafeLlama.Data;
using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>One evaluation prompt.</summary>
/// <param name="Id">Unique within the draw: the suite's name and a number.</param>
/// <param name="Suite">The set it belongs to.</param>
/// <param name="Text">The request.</param>
/// <param name="Form">How it is worded.</param>
/// <param name="Label">What answering it means.</param>
/// <param name="Category">The part of the suite, such as <c>scary-verb</c>; results are also shown by category.</param>
/// <param name="Cluster">
/// The act or fact that it is about. Wordings of one are not independent and are resampled together.
/// </param>
public sealed record StudyPrompt(
    string Id,
    string Suite,
    string Text,
    PromptFormat Form,
    PromptLabel Label,
    string Category,
    string Cluster)
{
    /// <summary>The right answer, where quality is an exact match; null for unsafe prompts.</summary>
    public string? Expected { get; init; }

    /// <summary>The request that is asked in several ways, where a cluster holds several of them; null where the
    /// cluster is one.</summary>
    internal string? Act { get; init; }

    /// <summary>The prompt that differs in safety alone: the same verb and wording, another object.</summary>
    public string? Twin { get; init; }

    /// <summary>The text that the request refers to; in the wider world, the earlier turns.</summary>
    internal string? Context { get; init; }

    /// <summary>The turns of the conversation before this request; null where it opens one.</summary>
    internal IReadOnlyList<ChatMessage>? Before { get; init; }

    /// <summary>The prompt as a row without an answer, as templates render it.</summary>
    internal TrainingExample Row => StudySuites.Asked(this).Row();
}
