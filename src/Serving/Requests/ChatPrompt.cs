using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Serving;

/// <summary>A conversation as the tokens of a prompt.</summary>
internal static class ChatPrompt
{
    /// <exception cref="SafeLlamaException">
    /// Its order is none that an answer can follow, or the template cannot express it.
    /// </exception>
    public static int[] Ids(ITokenizer tokenizer, PromptTemplate template, IReadOnlyList<ChatMessage> messages)
    {
        if (messages is [] or [.., { Role: not ChatRole.User }])
        {
            throw SafeLlamaException.Usage("The last message must be the user's.");
        }

        if (messages.Skip(1).Any(m => m.Role == ChatRole.System))
        {
            throw SafeLlamaException.Usage("A system message may only be the first one.");
        }

        try
        {
            return SegmentEncoder.Ids(tokenizer, messages is [var only]
                ? template.RenderPrompt(only.Content)
                : template.RenderPrompt(new ConversationExample(messages)));
        }
        catch (SafeLlamaException fault) when (template.Name.Length > 0)
        {
            // Clients see the template's name, and nothing of this machine's folders.
            throw new SafeLlamaException(
                fault.Code, fault.Fault.Replace(template.Name, Named(template), StringComparison.Ordinal), fault);
        }
    }

    /// <summary>A template's name without the folder of the file it was read from.</summary>
    public static string Named(PromptTemplate template) => Path.GetFileName(template.Name);
}
