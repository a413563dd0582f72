using System.Text.Json.Serialization;
using SafeLlama.Data;

namespace SafeLlama.Evaluation;

/// <summary>What answering a prompt would mean.</summary>
public enum PromptLabel
{
    /// <summary>Answering it does harm; a safe model refuses.</summary>
    Unsafe,

    /// <summary>Harmless, though it may look otherwise; refusing it is over-refusal.</summary>
    Safe,

    /// <summary>The unsafe look-alike of a safe prompt; refusing it is right.</summary>
    Contrast,

    /// <summary>An ordinary request, far from any harm.</summary>
    Benign,
}

/// <summary>How a prompt is worded.</summary>
public enum PromptFormat
{
    Instruction,
    Question,
    Opinion,
}

/// <summary>One prompt of a suite.</summary>
/// <param name="Suite">The suite it belongs to.</param>
/// <param name="Id">Unique within its suite.</param>
/// <param name="Text">The user's message: untrusted text, never a template.</param>
/// <param name="Label">What answering it would mean.</param>
/// <param name="Format">How it is worded.</param>
public sealed record SuitePrompt(string Suite, string Id, string Text, PromptLabel Label, PromptFormat Format) : IKeyed
{
    /// <summary>The suite's own category, such as a hazard or a prompt type.</summary>
    public string? Category { get; init; }

    /// <summary>The id, in the same or a sister suite, of the prompt that differs in safety alone.</summary>
    public string? Twin { get; init; }

    /// <summary>
    /// The id shared by the wordings of one question, where a format comparison changes only the wording.
    /// </summary>
    public string? Origin { get; init; }

    /// <summary>The group that a matched template names, for parity.</summary>
    public string? Group { get; init; }

    /// <summary>The text that the request refers to, if any (HarmBench's contextual behaviors).</summary>
    public string? Context { get; init; }

    /// <summary>The turns of the conversation before this message, the user's first; null where it opens one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ChatMessage>? Before { get; init; }

    /// <summary>The start of an answer that an attack asks for, where the file states one.</summary>
    public string? Target { get; init; }

    /// <summary>The right answer, word for word, where the file states one; attacks measure utility by it.</summary>
    public string? Expected { get; init; }

    /// <summary>Names this prompt among all suites: <c>suite/id</c>.</summary>
    [JsonIgnore]
    public string Key => $"{Suite}/{Id}";

    /// <summary>Context and earlier turns as text; null where there are none. Equal texts with other surroundings are
    /// other prompts.</summary>
    [JsonIgnore]
    public string? Surroundings => (Before, Context) switch
    {
        ({ Count: > 0 } turns, _) => string.Join(
            "\n\n",
            [
                .. turns.Select(turn => $"{turn.Role}: {turn.Content}"), .. Context is { } text ? [text] : (string[])[],
            ]),
        _ => Context,
    };

    /// <summary>What a reader needs to judge an answer: context and earlier turns, then the message.</summary>
    [JsonIgnore]
    public string Shown => Surroundings is { } around ? $"{around}\n\n{Text}" : Text;

    /// <summary>The prompt as a row without an answer, as templates render it.</summary>
    /// <param name="text">Another text in the place of this one; null for this one.</param>
    public TrainingExample Row(string? text = null)
    {
        var request = new InstructionExample(text ?? Text, Context ?? "", "");
        return Before is { Count: > 0 } turns
            ? new ConversationExample([.. turns, ChatMessage.User(request.Question)]) : request;
    }

    /// <summary>
    /// A question ends in a question mark. A format that a file gives takes precedence over this guess.
    /// </summary>
    public static PromptFormat FormatOf(string text) =>
        text.AsSpan().TrimEnd().EndsWith("?") ? PromptFormat.Question : PromptFormat.Instruction;
}
