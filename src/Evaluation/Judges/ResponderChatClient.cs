using Microsoft.Extensions.AI;

namespace SafeLlama.Evaluation;

/// <summary>Adapts our own engine to a chat client, so that it can grade by a rubric.</summary>
/// <param name="responder">The engine; its own settings decide how it decodes, not the options.</param>
public sealed class ResponderChatClient(IResponder responder) : IChatClient
{
    /// <summary>Answers the last user message.</summary>
    /// <exception cref="TextTooLongException">It does not fit into the engine's window.</exception>
    public Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var text = messages.LastOrDefault(m => m.Role == ChatRole.User)?.Text ?? "";
        var prompt = new SuitePrompt("chat", "1", text, PromptLabel.Benign, PromptFormat.Instruction);
        if (responder.Overflow(prompt) is var (tokens, window))
        {
            throw new TextTooLongException(tokens, window);
        }

        var answer = responder.Answer([new(prompt, 0)], cancellationToken)[0];
        return Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, answer.Text))
        {
            ModelId = responder.Identity,
            FinishReason = answer.StopReason == "length" ? ChatFinishReason.Length : ChatFinishReason.Stop,
        });
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options = null,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var update in (await GetResponseAsync(messages, options, cancellationToken)).ToChatResponseUpdates())
        {
            yield return update;
        }
    }

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is null && serviceType.IsInstanceOfType(this) ? this : null;

    public void Dispose()
    {
    }
}
