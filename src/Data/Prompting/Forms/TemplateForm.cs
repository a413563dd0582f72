using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>
/// What a template puts around the texts of a conversation: enough to write it in another template language.
/// </summary>
/// <remarks>
/// It is found by rendering marked texts through <see cref="PromptTemplate.RenderPrompt(TrainingExample)"/>, which is
/// what a model is trained on; the texts of a template's file may end in a space that the prompt does not.
/// </remarks>
/// <param name="First">The first request without a system message, up to where the answer begins.</param>
/// <param name="FirstWithSystem">The same with one; null where the template has none.</param>
/// <param name="Later">A later request; null where the template has no turns.</param>
/// <param name="Answer">An answer and its end.</param>
public sealed record TemplateForm(
    IReadOnlyList<TemplatePart> First,
    IReadOnlyList<TemplatePart>? FirstWithSystem,
    IReadOnlyList<TemplatePart>? Later,
    IReadOnlyList<TemplatePart> Answer)
{
    // Private-use characters, which no template has. Tabs around them show what is trimmed.
    private const char User = '\uE0F1';
    private const char System = '\uE0F2';
    private const char Reply = '\uE0F3';

    /// <summary>Whether a prompt begins with the token that begins a sequence.</summary>
    public bool Begins => First is [{ Kind: TemplatePartKind.Begin }, ..];

    public static TemplateForm Of(PromptTemplate template)
    {
        var (user, answer) = (ChatMessage.User($"\t{User}\t"), ChatMessage.Assistant($"\t{Reply}\t"));
        var turns = TryRender(template, [user, answer, user]);
        var whole = turns ?? template.Render(new ConversationExample([user, answer]));
        var first = whole.TakeWhile(segment => segment.Part != SegmentPart.Answer).ToList();
        var reply = whole.Skip(first.Count).TakeWhile(segment => segment.Part == SegmentPart.Answer).ToList();
        var system = TryRender(template, [new ChatMessage(ChatRole.System, $"\t{System}\t"), user]);
        return new TemplateForm(
            Parts(first),
            system is not null && system.Any(s => s.Value.Contains(System)) ? Parts(Prompt(system)) : null,
            turns is null ? null : Parts(turns.Skip(first.Count + reply.Count)),
            Parts(reply));
    }

    private static IReadOnlyList<PromptSegment>? TryRender(PromptTemplate template, ChatMessage[] messages)
    {
        try
        {
            return template.Render(new ConversationExample(messages));
        }
        catch (SafeLlamaException)
        {
            return null; // the template cannot express such a conversation
        }
    }

    private static IEnumerable<PromptSegment> Prompt(IReadOnlyList<PromptSegment> segments) =>
        segments.TakeWhile(segment => segment.Part != SegmentPart.Answer);

    private static List<TemplatePart> Parts(IEnumerable<PromptSegment> segments)
    {
        var parts = new List<TemplatePart>();
        foreach (var segment in segments)
        {
            switch (segment.Kind)
            {
                case SegmentKind.Begin: parts.Add(new(TemplatePartKind.Begin)); break;
                case SegmentKind.End: parts.Add(new(TemplatePartKind.End)); break;
                default: AddText(segment.Value, parts); break;
            }
        }

        return parts;
    }

    /// <summary>Adds a text, divided at its marks; neighbors of the template's own text become one.</summary>
    private static void AddText(string text, List<TemplatePart> parts)
    {
        var at = text.AsSpan().IndexOfAny(User, System, Reply);
        if (at < 0)
        {
            AddOwn(text, parts);
            return;
        }

        var (hasStart, hasEnd) = (at > 0 && text[at - 1] == '\t', at + 1 < text.Length && text[at + 1] == '\t');
        AddOwn(text[..(hasStart ? at - 1 : at)], parts);
        parts.Add(new(
            text[at] switch
            {
                User => TemplatePartKind.User,
                System => TemplatePartKind.System,
                _ => TemplatePartKind.Answer,
            },
            TrimStart: !hasStart,
            TrimEnd: !hasEnd));
        AddText(text[(hasEnd ? at + 2 : at + 1)..], parts);
    }

    private static void AddOwn(string text, List<TemplatePart> parts)
    {
        if (text.Length == 0)
        {
            return;
        }

        if (parts is [.., { Kind: TemplatePartKind.Text } last])
        {
            parts[^1] = last with { Text = last.Text + text };
        }
        else
        {
            parts.Add(new(TemplatePartKind.Text, text));
        }
    }
}
