namespace SafeLlama.Data;

/// <summary>ChatML: <c>&lt;|im_start|&gt;role</c>, a line break, the message, <c>&lt;|im_end|&gt;</c>.</summary>
/// <remarks>
/// OpenAI 2023, used by Qwen, SmolLM and others. Nothing is put before the first message: models that have a beginning
/// token use <c>&lt;|im_start|&gt;</c> for it.
/// </remarks>
public sealed class ChatMlTemplate : ConversationTemplate
{
    private const string Start = "<|im_start|>";
    private const string End = "<|im_end|>";

    public override string Name => "chatml";

    public override IReadOnlyList<string> Markers { get; } = [Start, End];

    private protected override IReadOnlyList<PromptSegment> RenderConversation(
        IReadOnlyList<ChatMessage> messages, TrainingExample row)
    {
        var segments = new List<PromptSegment>();
        foreach (var message in messages)
        {
            Open(segments, message.Role);
            var part = message.Role switch
            {
                ChatRole.Assistant => SegmentPart.Answer,
                ChatRole.User => SegmentPart.User,
                _ => SegmentPart.Frame,
            };
            segments.Add(new PromptSegment(SegmentKind.Text, message.Content, part));
            segments.Add(PromptSegment.Control(
                End, part == SegmentPart.Answer ? SegmentPart.Answer : SegmentPart.Frame));
        }

        if (messages[^1].Role != ChatRole.Assistant)
        {
            Open(segments, ChatRole.Assistant);
        }

        return segments;
    }

    private static void Open(List<PromptSegment> segments, ChatRole role)
    {
        if (segments.Count > 0)
        {
            segments.Add(PromptSegment.Frame("\n"));
        }

        segments.Add(PromptSegment.Control(Start));
        segments.Add(PromptSegment.Frame(role.ToString().ToLowerInvariant() + "\n"));
    }
}
