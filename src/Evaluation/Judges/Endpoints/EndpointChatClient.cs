using System.Text.Json;
using Microsoft.Extensions.AI;

namespace SafeLlama.Evaluation;

/// <summary>Adapts an OpenAI-compatible chat endpoint to a chat client, without streaming.</summary>
/// <param name="endpoint">The endpoint and how to call it.</param>
/// <param name="model">The model's name there.</param>
public sealed class EndpointChatClient(JudgeEndpoint endpoint, string model) : IChatClient
{
    /// <summary>Answers; a reply without text is an <see cref="EndpointException"/>.</summary>
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        using var reply = await endpoint.PostAsync(
            "chat/completions",
            new Dictionary<string, object>
            {
                ["model"] = model,
                ["messages"] = messages.Select(m => new { role = m.Role.Value, content = m.Text }).ToArray(),
                ["temperature"] = options?.Temperature ?? 0,
                ["max_tokens"] = options?.MaxOutputTokens ?? 64,
            },
            cancellationToken);
        return new(new ChatMessage(ChatRole.Assistant, Content(reply.RootElement))) { ModelId = model };
    }

    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages,
            ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException("A judge reads whole replies.");

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is null && serviceType.IsInstanceOfType(this) ? this : null;

    /// <summary>The creator of the endpoint disposes it.</summary>
    public void Dispose()
    {
    }

    /// <summary>The text of the first choice.</summary>
    /// <exception cref="EndpointException">There is none.</exception>
    internal static string Content(JsonElement reply) =>
        Choice(reply) is { ValueKind: JsonValueKind.Object } choice
        && choice.TryGetProperty("message", out var message) && message.ValueKind == JsonValueKind.Object
        && message.TryGetProperty("content", out var content) && content.ValueKind == JsonValueKind.String
            ? content.GetString()!
            : throw EndpointException.Malformed("holds no message");

    internal static JsonElement? Choice(JsonElement reply) =>
        reply.ValueKind == JsonValueKind.Object && reply.TryGetProperty("choices", out var choices)
        && choices.ValueKind == JsonValueKind.Array && choices.GetArrayLength() > 0
            ? choices[0]
            : null;
}
