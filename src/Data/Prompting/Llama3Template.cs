namespace SafeLlama.Data;

/// <summary>
/// Llama 3's chat: a header of control tokens before every message, <c>&lt;|eot_id|&gt;</c> after it.
/// </summary>
/// <remarks>Llama 3 model card, Meta 2024. The answer's end is <c>&lt;|eot_id|&gt;</c>, and is learned.</remarks>
public sealed class Llama3Template : ConversationTemplate
{
    private const string TurnEnd = "<|eot_id|>";

    public override string Name => "llama3";

    public override IReadOnlyList<string> Markers { get; } =
        ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", TurnEnd];

    private protected override IReadOnlyList<PromptSegment> RenderConversation(
        IReadOnlyList<ChatMessage> messages, TrainingExample row)
    {
        var segments = new List<PromptSegment> { PromptSegment.Begin };
        foreach (var message in messages)
        {
            Header(segments, message.Role);
            var part = message.Role switch
            {
                ChatRole.Assistant => SegmentPart.Answer,
                ChatRole.User => SegmentPart.User,
                _ => SegmentPart.Frame,
            };
            segments.Add(new PromptSegment(SegmentKind.Text, message.Content.Trim(), part));
            segments.Add(PromptSegment.Control(
                TurnEnd, part == SegmentPart.Answer ? SegmentPart.Answer : SegmentPart.Frame));
        }

        if (messages[^1].Role != ChatRole.Assistant)
        {
            Header(segments, ChatRole.Assistant);
        }

        return segments;
    }

    private static void Header(List<PromptSegment> segments, ChatRole role) => segments.AddRange(
    [
        PromptSegment.Control("<|start_header_id|>"),
        PromptSegment.Frame(role.ToString().ToLowerInvariant()),
        PromptSegment.Control("<|end_header_id|>"),
        PromptSegment.Frame("\n\n"),
    ]);
}
