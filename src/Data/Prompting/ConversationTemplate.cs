namespace SafeLlama.Data;

/// <summary>A template for conversations; a single instruction is a conversation of one turn.</summary>
public abstract class ConversationTemplate : PromptTemplate
{
    private protected override IReadOnlyList<PromptSegment> RenderInstruction(InstructionExample row) =>
        RenderConversation([ChatMessage.User(row.Question), ChatMessage.Assistant(row.Output)], row);

    /// <summary>The system message, if the conversation begins with one, and the turns behind it.</summary>
    private protected static (string? System, IEnumerable<ChatMessage> Turns) Part(
        IReadOnlyList<ChatMessage> messages) =>
        messages is [{ Role: ChatRole.System } system, ..] ? (system.Content, messages.Skip(1)) : (null, messages);
}
