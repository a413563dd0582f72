using SafeLlama.Data;

namespace SafeLlama.Evaluation;

/// <summary>A prompt as an attack sends it.</summary>
/// <param name="Text">The user's last message: untrusted text, never a template.</param>
/// <param name="Ids">The exact ids that the model reads, those of a prefilled answer included.</param>
public sealed record AttackedPrompt(string Text, int[] Ids)
{
    /// <summary>The turns before the last message.</summary>
    public IReadOnlyList<ChatMessage> Before { get; init; } = [];

    /// <summary>The beginning of the answer that the attack writes itself; null where it writes none.</summary>
    public string? Prefill { get; init; }

    /// <summary>Remarks that are counted over all prompts of a trial, such as where a text came from.</summary>
    public IReadOnlyList<string> Remarks { get; init; } = [];
}
