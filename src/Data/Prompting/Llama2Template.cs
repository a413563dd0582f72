namespace SafeLlama.Data;

/// <summary>Llama 2's chat: <c>[INST] request [/INST] answer</c>, each turn a sequence of its own.</summary>
/// <remarks>
/// The marks are plain text, as in Meta's <c>chat_completion</c>; a request that spells them may pass for a turn
/// (<see cref="PromptTemplate.HoldsMarkers"/>). The system message stands inside the first request. Touvron et al.
/// 2023, arXiv:2307.09288.
/// </remarks>
public sealed class Llama2Template : ConversationTemplate
{
    public override string Name => "llama2";

    public override IReadOnlyList<string> Markers { get; } = ["[INST]", "[/INST]", "<<SYS>>", "<</SYS>>"];

    private protected override IReadOnlyList<PromptSegment> RenderConversation(
        IReadOnlyList<ChatMessage> messages, TrainingExample row)
    {
        var (system, turns) = Part(messages);
        var segments = new List<PromptSegment>();
        foreach (var turn in turns)
        {
            if (turn.Role == ChatRole.Assistant)
            {
                segments.AddRange([PromptSegment.Answer($" {turn.Content.Trim()} "), PromptSegment.End]);
                continue;
            }

            segments.AddRange([PromptSegment.Begin, PromptSegment.Frame("[INST] ")]);
            if (system is not null)
            {
                segments.Add(PromptSegment.Frame($"<<SYS>>\n{system}\n<</SYS>>\n\n"));
                segments.Add(PromptSegment.User(turn.Content.TrimEnd()));
                system = null;
            }
            else
            {
                segments.Add(PromptSegment.User(turn.Content.Trim()));
            }

            segments.Add(PromptSegment.Frame(" [/INST]"));
        }

        return segments;
    }
}
