namespace SafeLlama.Data;

/// <summary>Mistral's chat: <c>[INST] request [/INST] answer</c>, one beginning token for the conversation.</summary>
/// <remarks>
/// The first form of mistral-common's tokenizers (v1), where the marks are plain text; the system message stands before
/// the first request. Jiang et al. 2023, arXiv:2310.06825. Later models write the marks as control tokens: use the
/// template that they bring.
/// </remarks>
public sealed class MistralTemplate : ConversationTemplate
{
    public override string Name => "mistral";

    public override IReadOnlyList<string> Markers { get; } = ["[INST]", "[/INST]"];

    private protected override IReadOnlyList<PromptSegment> RenderConversation(
        IReadOnlyList<ChatMessage> messages, TrainingExample row)
    {
        var (system, turns) = Part(messages);
        var segments = new List<PromptSegment> { PromptSegment.Begin };
        foreach (var turn in turns)
        {
            if (turn.Role == ChatRole.Assistant)
            {
                segments.AddRange([PromptSegment.Answer(" " + turn.Content), PromptSegment.End]);
                continue;
            }

            segments.AddRange(
            [
                PromptSegment.Frame("[INST] " + (system is null ? "" : system + "\n\n")),
                PromptSegment.User(turn.Content),
                PromptSegment.Frame(" [/INST]"),
            ]);
            system = null;
        }

        return segments;
    }
}
