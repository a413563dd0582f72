namespace SafeLlama.Data;

/// <summary>Conversations as one text, as Anthropic's HH-RLHF has them: turns marked "Human:" and
/// "Assistant:".</summary>
public static class Transcript
{
    private const string Human = "\n\nHuman:";
    private const string Assistant = "\n\nAssistant:";

    /// <summary>The turns of a transcript; null where the text does not begin as one.</summary>
    /// <remarks>One turn that follows another of the same speaker is kept as it is.</remarks>
    public static IReadOnlyList<ChatMessage>? Read(string text)
    {
        if (!text.StartsWith(Human, StringComparison.Ordinal))
        {
            return null;
        }

        var turns = new List<ChatMessage>();
        var at = 0;
        while (at < text.Length)
        {
            var human = text.AsSpan(at).StartsWith(Human, StringComparison.Ordinal);
            var start = at + (human ? Human : Assistant).Length;
            var end = Math.Min(Next(text, Human, start), Next(text, Assistant, start));
            turns.Add(new(human ? ChatRole.User : ChatRole.Assistant, text[start..end].Trim()));
            at = end;
        }

        return turns;
    }

    private static int Next(string text, string mark, int start) =>
        text.IndexOf(mark, start, StringComparison.Ordinal) is var found && found >= 0 ? found : text.Length;
}
