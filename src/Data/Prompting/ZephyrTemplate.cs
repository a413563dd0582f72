namespace SafeLlama.Data;

/// <summary>
/// Zephyr's chat: <c>&lt;|user|&gt;</c> and its kin on a line of their own, and the end token after every message.
/// </summary>
/// <remarks>
/// Tunstall et al. 2023, arXiv:2310.16944; TinyLlama's chat models use it too. The marks are plain text. No beginning
/// token is put, as in the models' own template.
/// </remarks>
public sealed class ZephyrTemplate : ConversationTemplate
{
    public override string Name => "zephyr";

    public override IReadOnlyList<string> Markers { get; } = ["<|system|>", "<|user|>", "<|assistant|>"];

    private protected override IReadOnlyList<PromptSegment> RenderConversation(
        IReadOnlyList<ChatMessage> messages, TrainingExample row)
    {
        var segments = new List<PromptSegment>();
        foreach (var message in messages)
        {
            var line = segments.Count > 0 ? "\n" : "";
            if (message.Role == ChatRole.Assistant)
            {
                segments.AddRange(
                [
                    PromptSegment.Frame(line + "<|assistant|>\n"),
                    PromptSegment.Answer(message.Content),
                    PromptSegment.End,
                ]);
                continue;
            }

            segments.Add(PromptSegment.Frame($"{line}<|{message.Role.ToString().ToLowerInvariant()}|>\n"));
            segments.Add(message.Role == ChatRole.User
                ? PromptSegment.User(message.Content)
                : PromptSegment.Frame(message.Content));
            segments.Add(PromptSegment.End with { Part = SegmentPart.Frame });
        }

        if (messages[^1].Role != ChatRole.Assistant)
        {
            segments.Add(PromptSegment.Frame("\n<|assistant|>\n"));
        }

        return segments;
    }
}
