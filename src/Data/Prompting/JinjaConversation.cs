using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>One conversation rendered by a chat template: its text, and the places of the answers.</summary>
/// <param name="messages">The conversation.</param>
/// <param name="render">Renders its first messages, with or without the beginning of an answer behind them.</param>
/// <param name="controls">Finds control tokens.</param>
internal sealed class JinjaConversation(
    IReadOnlyList<ChatMessage> messages, Func<int, bool, JinjaRendering> render, ControlSpellings controls)
{
    private readonly JinjaRendering _whole =
        render(messages.Count, messages.Count == 0 || messages[^1].Role != ChatRole.Assistant);

    private MarkedText Text => _whole.Text;

    /// <summary>The control token that closes the last answer; null where there is none.</summary>
    public string? Closing { get; private set; }

    /// <summary>The first message of which the text holds nothing; null where all are there.</summary>
    public int? Missing()
    {
        var written = Written();
        return Enumerable.Range(0, messages.Count).Where(i => written[i + 1] == 0 && Visible(messages[i]) > 0)
            .Cast<int?>().FirstOrDefault();
    }

    /// <summary>Whether the text holds fewer characters of a message than the message has, space aside.</summary>
    public bool LeavesOutPart()
    {
        var written = Written();
        return Enumerable.Range(0, messages.Count).Any(i => written[i + 1] < Visible(messages[i]));
    }

    /// <summary>The characters of the text by origin, space aside.</summary>
    private int[] Written()
    {
        var written = new int[messages.Count + 1];
        for (var i = 0; i < Text.Value.Length; i++)
        {
            if (!PythonText.IsSpace(Text.Value[i]))
            {
                written[Text.Origin(i)]++;
            }
        }

        return written;
    }

    private static int Visible(ChatMessage message) => message.Content.Count(c => !PythonText.IsSpace(c));

    /// <summary>
    /// The text as segments. What stands behind the end of a last answer is left out: it is never learned, and nothing
    /// learned sees it.
    /// </summary>
    public IReadOnlyList<PromptSegment> Segments()
    {
        var answers = Answers();
        var segments = new List<PromptSegment>();
        var end = answers.Count > 0 && messages[^1].Role == ChatRole.Assistant ? End(answers) : Text.Value.Length;
        var (start, part) = (0, SegmentPart.Frame);
        for (var i = 0; i < end;)
        {
            var here = PartAt(i, answers);
            if (here != part)
            {
                Flush(i);
                part = here;
            }

            if (controls.At(Text, i) is { } control)
            {
                Flush(i);
                segments.Add(PromptSegment.Control(control, here));
                i += control.Length;
                start = i;
            }
            else
            {
                i++;
            }
        }

        Flush(end);
        return segments;

        void Flush(int to)
        {
            if (to > start)
            {
                segments.Add(new PromptSegment(SegmentKind.Text, Text.Value[start..to], part));
            }

            start = to;
        }
    }

    private SegmentPart PartAt(int place, List<(int Start, int End)> answers) =>
        answers.Exists(answer => place >= answer.Start && place < answer.End) ? SegmentPart.Answer
        : Text.Origin(place) is var origin and > 0 && messages[origin - 1].Role == ChatRole.User ? SegmentPart.User
        : SegmentPart.Frame;

    /// <summary>The end of the last answer, of its closing token, and of what messages give.</summary>
    private int End(List<(int Start, int End)> answers)
    {
        var end = Math.Max(answers[^1].End, AnswerOf(messages.Count - 1)?.End ?? 0);
        for (var i = Text.Value.Length; i > end; i--)
        {
            if (Text.Origin(i - 1) != MarkedText.Template)
            {
                return i;
            }
        }

        return end;
    }

    /// <summary>The parts to learn: those inside <c>{% generation %}</c>, or what the assistant's turns add.</summary>
    private List<(int Start, int End)> Answers()
    {
        if (_whole.Generations.Count > 0)
        {
            return [.. _whole.Generations];
        }

        var answers = new List<(int Start, int End)>();
        for (var i = 0; i < messages.Count; i++)
        {
            if (messages[i].Role == ChatRole.Assistant && AnswerOf(i) is { } answer && answer.End > answer.Start)
            {
                answers.Add(answer);
            }
        }

        return answers;
    }

    /// <summary>
    /// From where the prompt of this answer ends to the token that closes the turn; null where the template leaves the
    /// turn out.
    /// </summary>
    private (int Start, int End)? AnswerOf(int message)
    {
        var (first, last) = Content(Text, message);
        var start = PromptEnd(message);
        if (start is null || (first is { } content && start > content))
        {
            start = first;
        }

        if (start is not { } begin)
        {
            return null;
        }

        var end = last ?? begin;
        var alone = message == messages.Count - 1 ? Text : render(message + 1, false).Text;
        var aloneEnd = message == messages.Count - 1 ? end : Content(alone, message).Last ?? begin;

        // What follows this turn alone and within the whole belongs to the turn; the rest is the next turn's.
        for (var i = 0; end + i < Text.Value.Length && aloneEnd + i < alone.Value.Length; i++)
        {
            var (here, there) = (controls.At(Text, end + i), controls.At(alone, aloneEnd + i));
            if (here is not null && here == there)
            {
                Closing = here;
                return (begin, end + i + here.Length);
            }

            if (Text.Value[end + i] != alone.Value[aloneEnd + i] || Text.Origin(end + i) != MarkedText.Template)
            {
                break;
            }
        }

        return (begin, end);
    }

    /// <summary>The length of the prompt of this answer, where the whole text begins with it.</summary>
    private int? PromptEnd(int message)
    {
        try
        {
            var prompt = render(message, true).Text.Value;
            return Text.Value.StartsWith(prompt, StringComparison.Ordinal) ? prompt.Length : null;
        }
        catch (SafeLlamaException)
        {
            // A template may refuse a conversation without this answer, as one that begins with the assistant.
            return null;
        }
    }

    private static (int? First, int? Last) Content(MarkedText text, int message)
    {
        int? first = null;
        int? last = null;
        for (var i = 0; i < text.Value.Length; i++)
        {
            if (text.Origin(i) == message + 1)
            {
                first ??= i;
                last = i + 1;
            }
        }

        return (first, last);
    }
}
