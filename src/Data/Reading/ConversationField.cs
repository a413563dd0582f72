using System.Text.Json;

namespace SafeLlama.Data;

/// <summary>A field that holds messages: <c>role</c> and <c>content</c>, or <c>from</c> and <c>value</c>.</summary>
internal static class ConversationField
{
    /// <summary>The messages of a list, or the one message of an object; each that is malformed is a fault.</summary>
    public static IReadOnlyList<ChatMessage> Read(RowFields fields, string name)
    {
        var messages = new List<ChatMessage>();
        var items = fields.KindOf(name) == JsonValueKind.Object ? [fields.Object(name)] : fields.Objects(name);
        foreach (var message in items)
        {
            var shares = name == "conversations" || (message.Has("from") && !message.Has("role"));
            var speaker = message.Required(shares ? "from" : "role");
            var text = message.Answer(shares ? "value" : "content");
            if (RoleOf(speaker) is { } known)
            {
                messages.Add(new ChatMessage(known, text));
            }
            else if (speaker.Length > 0)
            {
                fields.Fault(name, $"the role \"{speaker}\" is unknown; expected system, user or assistant.");
            }
        }

        return messages;
    }

    /// <summary>What is wrong with the order of turns; null where nothing is.</summary>
    public static string? Disorder(IReadOnlyList<ChatMessage> messages, bool endsWithAnswer)
    {
        var first = messages is [{ Role: ChatRole.System }, ..] ? 1 : 0;
        for (var i = first; i < messages.Count; i++)
        {
            var expected = (i - first) % 2 == 0 ? ChatRole.User : ChatRole.Assistant;
            if (messages[i].Role != expected)
            {
                return $"message {i + 1} is the {messages[i].Role.ToString().ToLowerInvariant()}'s, expected the "
                    + $"{expected.ToString().ToLowerInvariant()}'s: user and assistant take turns.";
            }
        }

        if (messages.Count == first)
        {
            return "holds no message of the user.";
        }

        return endsWithAnswer && messages[^1].Role != ChatRole.Assistant
            ? "does not end with an answer of the assistant."
            : null;
    }

    private static ChatRole? RoleOf(string name) => name switch
    {
        "system" => ChatRole.System,
        "user" or "human" => ChatRole.User,
        "assistant" or "gpt" => ChatRole.Assistant,
        _ => null,
    };
}
