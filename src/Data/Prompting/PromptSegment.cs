namespace SafeLlama.Data;

/// <summary>The kind of a prompt segment.</summary>
public enum SegmentKind
{
    /// <summary>Plain text, whatever it spells.</summary>
    Text,

    /// <summary>One control token, named by its spelling.</summary>
    Control,

    /// <summary>Begins a sequence; nothing where the tokenizer has no such token.</summary>
    Begin,

    /// <summary>Ends a sequence.</summary>
    End,
}

/// <summary>The author of a segment.</summary>
public enum SegmentPart
{
    /// <summary>The template's.</summary>
    Frame,

    /// <summary>The user's; what <c>trim-prompt</c> may shorten.</summary>
    User,

    /// <summary>The answer's, its end included: what is learned.</summary>
    Answer,
}

/// <summary>A piece of a prompt, before it becomes tokens.</summary>
/// <remarks>
/// Neighboring text segments are encoded together, as one text; control tokens enter only here, by name, so text that
/// spells one stays text.
/// </remarks>
public readonly record struct PromptSegment(SegmentKind Kind, string Value, SegmentPart Part)
{
    /// <summary>True where the tokens are learned, false where they are masked.</summary>
    public bool Trained => Part == SegmentPart.Answer;

    public static PromptSegment Begin { get; } = new(SegmentKind.Begin, "", SegmentPart.Frame);

    /// <summary>The end of an answer: it is learned, so that generation stops.</summary>
    public static PromptSegment End { get; } = new(SegmentKind.End, "", SegmentPart.Answer);

    public static PromptSegment Frame(string text) => new(SegmentKind.Text, text, SegmentPart.Frame);

    public static PromptSegment User(string text) => new(SegmentKind.Text, text, SegmentPart.User);

    public static PromptSegment Answer(string text) => new(SegmentKind.Text, text, SegmentPart.Answer);

    public static PromptSegment Control(string token, SegmentPart part = SegmentPart.Frame) =>
        new(SegmentKind.Control, token, part);
}
