using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>No template: the unchanged request, then the answer.</summary>
public sealed class PlainTemplate : PromptTemplate
{
    public override string Name => "plain";

    public override IReadOnlyList<string> Markers => [];

    private protected override IReadOnlyList<PromptSegment> RenderInstruction(InstructionExample row) =>
    [
        PromptSegment.Begin,
        PromptSegment.User(row.Question),
        PromptSegment.Answer(row.Output),
        PromptSegment.End,
    ];

    private protected override IReadOnlyList<PromptSegment> RenderConversation(
        IReadOnlyList<ChatMessage> messages, TrainingExample row) => messages switch
        {
            [{ Role: ChatRole.User } user] => [PromptSegment.Begin, PromptSegment.User(user.Content)],
            [{ Role: ChatRole.User } user, { Role: ChatRole.Assistant } answer] =>
                RenderInstruction(new InstructionExample(user.Content, "", answer.Content)),
            _ => throw SafeLlamaException.Usage(
                $"{row.Place}the template plain cannot tell the turns of a conversation apart.",
                "use `Template` llama2, llama3, chatml or vicuna"),
        };
}
