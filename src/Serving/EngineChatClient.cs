using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Extensions.AI;
using SafeLlama.Common;
using SafeLlama.Inference;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;
using ChatRole = Microsoft.Extensions.AI.ChatRole;

namespace SafeLlama.Serving;

/// <summary>One of an engine's models as a chat client, without HTTP between.</summary>
/// <param name="engine">It outlives the client.</param>
/// <param name="model">The id that answers where the options name none.</param>
public sealed class EngineChatClient(ServingEngine engine, string model) : IChatClient
{
    /// <exception cref="SafeLlamaException">
    /// The options ask what is not supported, or the prompt does not fit.
    /// </exception>
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var (text, response) = (new StringBuilder(), new ChatResponse());
        await foreach (var update in GetStreamingResponseAsync(messages, options, cancellationToken))
        {
            text.Append(update.Text);
            response.FinishReason ??= update.FinishReason;
            response.ModelId = update.ModelId;
            response.Usage = update.Contents.OfType<UsageContent>().FirstOrDefault()?.Details ?? response.Usage;
        }

        response.Messages.Add(new(ChatRole.Assistant, text.ToString()));
        return response;
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var request = Request(messages, options ?? new());
        using var group = engine.Submit([request], cancellationToken);
        var tokens = 0;
        await foreach (var update in group.Updates(cancellationToken))
        {
            tokens += update.Token is null ? 0 : 1;
            yield return new(ChatRole.Assistant, update.Text)
            {
                ModelId = request.Model.Id,
                FinishReason = update.End is not { } end ? null
                    : end == StopReason.End ? ChatFinishReason.Stop : ChatFinishReason.Length,
            };
        }

        yield return new(ChatRole.Assistant, [new UsageContent(new()
        {
            InputTokenCount = request.Prompt.Length,
            OutputTokenCount = tokens,
            TotalTokenCount = request.Prompt.Length + tokens,
        })])
        {
            ModelId = request.Model.Id,
        };
    }

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is not null ? null
        : serviceType == typeof(ServingEngine) ? engine
        : serviceType.IsInstanceOfType(this) ? this : null;

    public void Dispose()
    {
    }

    private SequenceRequest Request(IEnumerable<ChatMessage> messages, ChatOptions options)
    {
        RefuseUnsupported(options);
        var id = options.ModelId ?? model;
        var served = engine.Models.FirstOrDefault(m => m.Id == id) ?? throw SafeLlamaException.Usage(
            $"The model '{id}' does not exist; there are {string.Join(", ", engine.Models.Select(m => m.Id))}.");
        var said = messages.Select(Said).ToList();
        if (options.Instructions is { Length: > 0 } instructions)
        {
            said.Insert(0, Data.ChatMessage.System(instructions));
        }

        var prompt = ChatPrompt.Ids(engine.Session.Tokenizer, served.Template, said);
        var decoding = new DecodingConfig
        {
            Temperature = options.Temperature ?? 0,
            TopP = options.TopP ?? 1,
            TopK = options.TopK ?? 0,
            Seed = options.Seed ?? 0,
        };
        decoding.Validate();
        var most = PromptLimits.Check(engine, prompt, options.MaxOutputTokens, nameof(options.MaxOutputTokens));
        return new(served, prompt, decoding, most) { Stop = [.. options.StopSequences ?? []], IsMessage = true };
    }

    private static Data.ChatMessage Said(ChatMessage message)
    {
        if (message.Contents.FirstOrDefault(c => c is not TextContent) is { } other)
        {
            throw SafeLlamaException.Usage(
                $"A message holds {other.GetType().Name}, expected text alone.");
        }

        return message.Role == ChatRole.System ? Data.ChatMessage.System(message.Text)
            : message.Role == ChatRole.User ? Data.ChatMessage.User(message.Text)
            : message.Role == ChatRole.Assistant ? Data.ChatMessage.Assistant(message.Text)
            : throw SafeLlamaException.Usage(
                $"A message's role is {message.Role}, expected system, user or assistant.");
    }

    private static void RefuseUnsupported(ChatOptions options)
    {
        (bool Given, string Name)[] unsupported =
        [
            (options.Tools is { Count: > 0 }, nameof(options.Tools)),
            (options.ResponseFormat is not (null or ChatResponseFormatText), nameof(options.ResponseFormat)),
            (options.FrequencyPenalty is not (null or 0), nameof(options.FrequencyPenalty)),
            (options.PresencePenalty is not (null or 0), nameof(options.PresencePenalty)),
            (options.ConversationId is not null, nameof(options.ConversationId)),
            (options.AdditionalProperties is { Count: > 0 }, nameof(options.AdditionalProperties)),
        ];
        if (Array.Find(unsupported, u => u.Given).Name is { } name)
        {
            throw SafeLlamaException.Usage($"`{name}` is not supported.");
        }
    }
}
