namespace SafeLlama.Data;

/// <summary>One row of a data file, as it was read: text only, no template and no tokens yet.</summary>
/// <remarks>
/// The four forms below are all there are; a template decides how each becomes a prompt and an answer.
/// </remarks>
public abstract record TrainingExample
{
    private protected TrainingExample()
    {
    }

    /// <summary>Names the row in manifests and reports: the row's own <c>id</c>, or <c>file.json#17</c>.</summary>
    public string Id { get; init; } = "";

    /// <summary>The file and line it was read from.</summary>
    public RowSource Source { get; init; }

    /// <summary>What a message about this row begins with: its place; nothing for a row of no file.</summary>
    internal string Place => Source == default ? "" : $"{Source}: ";

    /// <summary>The id of the row this one was converted from; null where it is an original.</summary>
    public string? OriginId { get; init; }

    /// <summary>The row's own tag or category, where the file gives one.</summary>
    public string? Category { get; init; }

    /// <summary>What is asked: the text compared for duplicates and contamination.</summary>
    public abstract string Question { get; }

    /// <summary>What is answered; empty where the row has no answer.</summary>
    public abstract string Answer { get; }
}

/// <summary>An Alpaca row: an instruction, an optional input it works on, and the answer wanted.</summary>
public sealed record InstructionExample(string Instruction, string Input, string Output) : TrainingExample
{
    public override string Question => Input.Length == 0 ? Instruction : Instruction + "\n\n" + Input;

    public override string Answer => Output;
}

/// <summary>A prompt and its continuation, used unchanged without a template.</summary>
public sealed record CompletionExample(string Prompt, string Completion) : TrainingExample
{
    public override string Question => Prompt;

    public override string Answer => Completion;
}

/// <summary>A conversation: an optional system message, then user and assistant in turn.</summary>
public sealed record ConversationExample(IReadOnlyList<ChatMessage> Messages) : TrainingExample
{
    /// <summary>What the user said, message by message.</summary>
    public override string Question => Join(ChatRole.User);

    /// <summary>What the assistant said, message by message.</summary>
    public override string Answer => Join(ChatRole.Assistant);

    private string Join(ChatRole role) =>
        string.Join("\n\n", Messages.Where(message => message.Role == role).Select(message => message.Content));
}

/// <summary>Running text to learn a language from: every token is a target.</summary>
public sealed record TextExample(string Text) : TrainingExample
{
    public override string Question => Text;

    public override string Answer => "";
}
