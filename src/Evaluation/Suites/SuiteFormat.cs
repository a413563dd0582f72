using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Evaluation;

/// <summary>How the rows of one public file become prompts.</summary>
/// <param name="Name">The format's name, for messages.</param>
/// <param name="Columns">The fields by which a file is recognized: it has all of them.</param>
/// <param name="Read">Turns a row into a prompt.</param>
public sealed record SuiteFormat(string Name, IReadOnlyList<string> Columns, Func<SuiteRow, SuitePrompt> Read)
{
    /// <summary>Whether rows give their own label.</summary>
    public bool States { get; init; }

    /// <summary>Finds twins once all rows are read; null where the format has none.</summary>
    public Func<IReadOnlyList<SuiteRow>, IReadOnlyList<SuitePrompt>, IReadOnlyList<SuitePrompt>>? Link { get; init; }

    /// <summary>The formats in the order they are tried on an unknown file.</summary>
    public static IReadOnlyList<SuiteFormat> All { get; } =
    [
        XsTestFormat.Prompts, XsTestFormat.Completions, XsTestFormat.Moonshot, OwnFormat.Format, HarmBenchFormat.Format,
        AdvBenchFormat.Format, StrongRejectFormat.Format, JailbreakBenchFormat.Format, DoNotAnswerFormat.Format,
        SimpleSafetyTestsFormat.Format, InstructionFormat.Format, TextFormat.Format,
    ];
}

/// <summary>One row of a suite before it becomes a prompt.</summary>
/// <param name="Raw">The row as stored.</param>
/// <param name="Path">Its file, for messages.</param>
/// <param name="Source">What is known of the suite.</param>
public sealed record SuiteRow(RawRow Raw, string Path, SuiteSource Source)
{
    public string Suite => Source.Name;

    /// <summary>The file and the row, for messages.</summary>
    public RowSource Place => Raw.In(Path);

    /// <summary>The text of a required field; it must not be blank.</summary>
    public string Text(string field) => Optional(field) is { } text && !string.IsNullOrWhiteSpace(text)
        ? text
        : throw SafeLlamaException.InvalidData(
            $"{Place}: \"{field}\" is missing or blank; every prompt of {Suite} needs it.");

    /// <summary>
    /// The field's text; null where it is absent, null or empty. Numbers are read as they are written.
    /// </summary>
    public string? Optional(string field)
    {
        if (!Raw.Fields.TryGetValue(field, out var value))
        {
            return null;
        }

        return value.ValueKind switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.String => SafeText(value, field) is { Length: > 0 } text ? text : null,
            JsonValueKind.Number => value.GetRawText(),
            _ => throw SafeLlamaException.InvalidData(
                $"{Place}: \"{field}\" is a JSON {value.ValueKind.ToString().ToLowerInvariant()}, expected "
                + "text."),
        };
    }

    /// <summary>The texts of a list field; empty where it is absent.</summary>
    public IReadOnlyList<string> List(string field) =>
        !Raw.Fields.TryGetValue(field, out var value) || value.ValueKind == JsonValueKind.Null
            ? []
            : value.ValueKind == JsonValueKind.Array && value.EnumerateArray()
                .All(v => v.ValueKind == JsonValueKind.String)
                ? [.. value.EnumerateArray().Select(v => SafeText(v, field))]
                : throw SafeLlamaException.InvalidData($"{Place}: \"{field}\" is not a list of texts.");

    /// <summary>The turns of a conversation that the prompt goes on, by role and content; null where there are
    /// none.</summary>
    public IReadOnlyList<ChatMessage>? Turns(string field)
    {
        if (!Raw.Fields.TryGetValue(field, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            throw Wrong(field, "is no list of turns, each with \"role\" and \"content\".");
        }

        ChatMessage[] turns = [.. value.EnumerateArray().Select((turn, i) => Turn(turn, field, i))];
        for (var i = 0; i < turns.Length; i++)
        {
            if (turns[i].Role != (i % 2 == 0 ? ChatRole.User : ChatRole.Assistant))
            {
                throw Wrong(field, $"turn {i + 1} is the {turns[i].Role.ToString().ToLowerInvariant()}'s; user and "
                    + "assistant take turns, the user first.");
            }
        }

        if (turns.Length % 2 == 1)
        {
            throw Wrong(field, "ends with the user; expected the assistant's turn last, since the prompt is the user's "
                + "next.");
        }

        return turns.Length == 0 ? null : turns;
    }

    private ChatMessage Turn(JsonElement turn, string field, int number)
    {
        string? Part(string name) => turn.ValueKind == JsonValueKind.Object
            && turn.TryGetProperty(name, out var part) && part.ValueKind == JsonValueKind.String
            && !string.IsNullOrWhiteSpace(SafeText(part, field)) ? SafeText(part, field) : null;
        return (Part("role"), Part("content")) switch
        {
            ("user", { } text) => ChatMessage.User(text),
            ("assistant", { } text) => ChatMessage.Assistant(text),
            _ => throw Wrong(field, $"turn {number + 1} needs \"role\", user or assistant, and \"content\", a text that is "
                + "not blank."),
        };
    }

    private SafeLlamaException Wrong(string field, string what) =>
        SafeLlamaException.InvalidData($"{Place}: \"{field}\": {what}");

    /// <summary>One of the names of an enumeration, in snake_case or any case.</summary>
    public TEnum? Named<TEnum>(string field)
        where TEnum : struct, Enum
    {
        if (Optional(field) is not { } name)
        {
            return null;
        }

        foreach (var value in Enum.GetValues<TEnum>())
        {
            if (string.Equals(value.ToString(), name.Replace("_", "", StringComparison.Ordinal),
                StringComparison.OrdinalIgnoreCase))
            {
                return value;
            }
        }

        throw SafeLlamaException.InvalidData(
            $"{Place}: \"{field}\" is \"{name}\", expected one of "
            + $"{string.Join(", ", Enum.GetNames<TEnum>()).ToLowerInvariant()}.");
    }

    /// <summary>A prompt of this row with the suite's own label and format.</summary>
    public SuitePrompt Prompt(string id, string text) => new(
        Suite, id, text, Source.Label, Source.Format ?? SuitePrompt.FormatOf(text));

    private string SafeText(JsonElement value, string field)
    {
        try
        {
            return value.GetString() ?? "";
        }
        catch (InvalidOperationException)
        {
            throw SafeLlamaException.InvalidData(
                $"{Place}: \"{field}\" holds half of a surrogate pair, which is no text.");
        }
    }
}
