namespace SafeLlama.Data;

/// <summary>
/// Vicuna 1.1: a system sentence, then <c>USER: … ASSISTANT: …</c>, each answer closed by the end token.
/// </summary>
/// <remarks>Zheng et al. 2023, arXiv:2306.05685; the form of FastChat.</remarks>
public sealed class VicunaTemplate : ConversationTemplate
{
    private const string DefaultSystem =
        "A chat between a curious user and an artificial intelligence assistant. "
        + "The assistant gives helpful, detailed, and polite answers to the user's questions.";

    public override string Name => "vicuna";

    public override IReadOnlyList<string> Markers { get; } = ["USER:", "ASSISTANT:"];

    private protected override IReadOnlyList<PromptSegment> RenderConversation(
        IReadOnlyList<ChatMessage> messages, TrainingExample row)
    {
        var (system, turns) = Part(messages);
        var segments = new List<PromptSegment>
        {
            PromptSegment.Begin,
            PromptSegment.Frame((system ?? DefaultSystem) + " "),
        };
        foreach (var turn in turns)
        {
            segments.AddRange(turn.Role == ChatRole.Assistant
                ? [PromptSegment.Answer(" " + turn.Content), PromptSegment.End]
                :
                [
                    PromptSegment.Frame("USER: "),
                    PromptSegment.User(turn.Content),
                    PromptSegment.Frame(" ASSISTANT:"),
                ]);
        }

        return segments;
    }
}
