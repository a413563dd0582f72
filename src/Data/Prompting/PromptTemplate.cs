using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>Turns a row into a prompt and an answer: a list of segments, each masked or learned.</summary>
public abstract class PromptTemplate
{
    /// <summary>The names <see cref="Load"/> knows.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "alpaca", "alpaca_short", "alpaca_legacy", "llama2", "llama3", "chatml", "vicuna", "zephyr", "mistral", "plain",
    ];

    /// <summary>The template's name, or the file it was read from.</summary>
    public abstract string Name { get; }

    /// <summary>
    /// Texts that mark turns in this template; a user's text with one of them may be mistaken for a turn.
    /// </summary>
    public abstract IReadOnlyList<string> Markers { get; }

    /// <summary>The identity in manifests: the name, or a hash of the template's text.</summary>
    public virtual string Identity => Name;

    /// <summary>Whether both write the same prompts, whatever their names.</summary>
    public virtual bool WritesAs(PromptTemplate other) => Identity == other.Identity;

    /// <summary>The control token that closes an answer; null where the sequence's end does.</summary>
    public virtual string? EndOfTurn =>
        Render(new InstructionExample("q", "", "a")) is [.., { Kind: SegmentKind.Control } last] ? last.Value : null;

    /// <summary>The same template in Jinja, for other programs.</summary>
    public virtual string Jinja => JinjaForm.Write(TemplateForm.Of(this), writesBegin: true);

    /// <summary>Remarks on this template for the user, one line each.</summary>
    public virtual IEnumerable<string> Notes() => [];

    /// <summary>A built-in template by name, or an Alpaca template from a JSON file.</summary>
    /// <exception cref="SafeLlamaException">There is no such template, or the file is not one.</exception>
    public static PromptTemplate Load(string nameOrFile) => nameOrFile switch
    {
        "alpaca" => AlpacaTemplate.Standard,
        "alpaca_short" => AlpacaTemplate.Short,
        "alpaca_legacy" => AlpacaTemplate.Legacy,
        "llama2" => new Llama2Template(),
        "llama3" => new Llama3Template(),
        "chatml" => new ChatMlTemplate(),
        "vicuna" => new VicunaTemplate(),
        "zephyr" => new ZephyrTemplate(),
        "mistral" => new MistralTemplate(),
        "plain" => new PlainTemplate(),
        _ when File.Exists(nameOrFile) => AlpacaTemplate.Read(nameOrFile),
        _ => throw SafeLlamaException.Usage(
            $"`Template` {nameOrFile}: is neither a file nor a known template; expected auto, "
            + $"{string.Join(", ", Names)}."),
    };

    /// <summary>Prompt and answer of a row, to train on.</summary>
    /// <exception cref="SafeLlamaException">This template cannot express the row.</exception>
    public IReadOnlyList<PromptSegment> Render(TrainingExample example) => example switch
    {
        TextExample text => [PromptSegment.Begin, PromptSegment.Answer(text.Text), PromptSegment.End],
        CompletionExample row =>
        [
            PromptSegment.Begin,
            PromptSegment.User(row.Prompt),
            PromptSegment.Answer(row.Completion),
            PromptSegment.End,
        ],
        InstructionExample row => RenderInstruction(row),
        ConversationExample row => RenderConversation(row.Messages, row),
        _ => throw new ArgumentOutOfRangeException(nameof(example), example, "not a form of example"),
    };

    /// <summary>The prompt of a row, up to where its (last) answer begins, to generate from.</summary>
    /// <exception cref="SafeLlamaException">This template cannot express the row.</exception>
    public IReadOnlyList<PromptSegment> RenderPrompt(TrainingExample example)
    {
        var segments = example switch
        {
            ConversationExample conversation =>
                RenderConversation([.. conversation.Messages.Reverse().SkipWhile(IsAnswer).Reverse()], conversation),
            InstructionExample row => RenderPromptOf(row),
            _ => Render(example),
        };
        var end = segments.Count;
        while (end > 0 && segments[end - 1].Part == SegmentPart.Answer)
        {
            end--;
        }

        return [.. segments.Take(end)];
    }

    /// <summary>The prompt of one request, to generate from.</summary>
    public IReadOnlyList<PromptSegment> RenderPrompt(string request) =>
        RenderPrompt(new InstructionExample(request, "", ""));

    /// <summary>The prompt of a row and the beginning of an answer to it, with the space that this template puts
    /// between the two.</summary>
    /// <remarks>
    /// The prompt ends before that space, since a tokenizer joins it to the answer's first word. Without it the words
    /// would be other tokens than those that a model learns.
    /// </remarks>
    /// <returns>The prompt's segments, then one.</returns>
    /// <exception cref="SafeLlamaException">This template cannot express the row.</exception>
    public IReadOnlyList<PromptSegment> RenderBegun(TrainingExample row, string answer)
    {
        var prompt = RenderPrompt(row);
        var (before, whole) = (TextOf(prompt), TextOf(Render(Answered(row))));
        var space = whole.StartsWith(before, StringComparison.Ordinal)
            ? string.Concat(whole.Skip(before.Length).TakeWhile(char.IsWhiteSpace)) : "";
        return [.. prompt, PromptSegment.Answer(space + answer)];
    }

    /// <summary>True where the row's own text holds a marker of this template (<see cref="Markers"/>).</summary>
    public bool HoldsMarkers(TrainingExample example)
    {
        IEnumerable<string> texts = example is ConversationExample conversation
            ? conversation.Messages.Select(message => message.Content)
            : [example.Question, example.Answer];
        return texts.Any(text => Markers.Any(marker => text.Contains(marker, StringComparison.Ordinal)));
    }

    /// <summary>True where this template leaves out a part of the row's own text, space aside.</summary>
    public virtual bool LeavesOutPart(TrainingExample example) => false;

    /// <summary>
    /// The answer in a text that begins with its prompt: cut by length, so headers a user typed do no harm.
    /// </summary>
    public static string ExtractResponse(string prompt, string full) =>
        full.StartsWith(prompt, StringComparison.Ordinal) ? full[prompt.Length..].Trim() : full.Trim();

    /// <summary>The prompt of a row; an answer at its end is cut off by the caller.</summary>
    private protected virtual IReadOnlyList<PromptSegment> RenderPromptOf(InstructionExample row) =>
        RenderInstruction(row);

    private protected abstract IReadOnlyList<PromptSegment> RenderInstruction(InstructionExample row);

    /// <summary>
    /// The whole conversation; where it ends with the user, the frame of the answer to come stands last.
    /// </summary>
    private protected abstract IReadOnlyList<PromptSegment> RenderConversation(
        IReadOnlyList<ChatMessage> messages, TrainingExample row);

    private static TrainingExample Answered(TrainingExample row) => row switch
    {
        InstructionExample asked => asked with { Output = "a" },
        CompletionExample begun => begun with { Completion = "a" },
        ConversationExample said => said with { Messages = [.. said.Messages, ChatMessage.Assistant("a")] },
        _ => row,
    };

    private static string TextOf(IReadOnlyList<PromptSegment> segments) => string.Concat(segments.Select(s => s.Value));

    private static bool IsAnswer(ChatMessage message) => message.Role == ChatRole.Assistant;
}
