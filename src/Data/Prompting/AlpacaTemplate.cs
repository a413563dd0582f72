using System.Text.Json;
using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>A preamble, then headed sections: Instruction, Input where there is one, Response.</summary>
/// <remarks>
/// The JSON form is that of alpaca-lora: <c>description</c>, <c>prompt_input</c>, <c>prompt_no_input</c> and
/// <c>response_split</c>, with <c>{instruction}</c> and <c>{input}</c> where the row's text goes. Taori et al. 2023,
/// "Stanford Alpaca".
/// </remarks>
public sealed class AlpacaTemplate : PromptTemplate
{
    private const string Task = "Below is an instruction that describes a task";
    private const string Please = "Write a response that appropriately completes the request.\n\n";
    private const string Sections = "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:";
    private const string SectionsNoInput = "### Instruction:\n{instruction}\n\n### Response:";
    private const string WithInput = Task + ", paired with an input that provides further context. " + Please
        + Sections;
    private const string NoInput = Task + ". " + Please + SectionsNoInput;

    private readonly IReadOnlyList<string> _withInput;
    private readonly IReadOnlyList<string> _noInput;

    private AlpacaTemplate(
        string name, string description, string withInput, string noInput, string split, string? identity = null)
    {
        (Name, Description, ResponseSplit) = (name, description, split);
        Identity = identity ?? name;
        PromptInput = withInput;
        PromptNoInput = noInput;
        _withInput = Pieces(name, "prompt_input", withInput, ["instruction", "input"]);
        _noInput = Pieces(name, "prompt_no_input", noInput, ["instruction"]);
    }

    /// <summary>alpaca-lora's default: a line break after the response's header.</summary>
    public static AlpacaTemplate Standard { get; } =
        new("alpaca", "Template used by Alpaca-LoRA.", WithInput + "\n", NoInput + "\n", "### Response:");

    /// <summary>The sections alone.</summary>
    public static AlpacaTemplate Short { get; } =
        new("alpaca_short", "A shorter template to experiment with.", Sections + "\n", SectionsNoInput + "\n",
            "### Response:");

    /// <summary>The original: nothing after the response's header.</summary>
    public static AlpacaTemplate Legacy { get; } = new(
        "alpaca_legacy", "Legacy template, used by Original Alpaca repository.", WithInput, NoInput, "### Response:");

    public override string Name { get; }

    /// <summary>A built-in template's name; of a file, its hash.</summary>
    public override string Identity { get; }

    public string Description { get; }

    /// <summary>The prompt of a row with input; holds <c>{instruction}</c> and <c>{input}</c>.</summary>
    public string PromptInput { get; }

    /// <summary>The prompt of a row without input; holds <c>{instruction}</c>.</summary>
    public string PromptNoInput { get; }

    /// <summary>The header before the answer, by which alpaca-lora cuts it out.</summary>
    public string ResponseSplit { get; }

    public override IReadOnlyList<string> Markers => ["### Instruction:", "### Input:", ResponseSplit];

    public override bool WritesAs(PromptTemplate other) => other is AlpacaTemplate alpaca
        && (PromptInput, PromptNoInput, ResponseSplit)
            == (alpaca.PromptInput, alpaca.PromptNoInput, alpaca.ResponseSplit);

    /// <summary>A template from its texts.</summary>
    /// <param name="identity">What manifests carry; null for the name.</param>
    /// <exception cref="SafeLlamaException">A placeholder is missing or unknown.</exception>
    public static AlpacaTemplate Create(
        string name, string description, string withInput, string noInput, string split, string? identity = null) =>
        new(name, description, withInput, noInput, split, identity);

    /// <summary>Reads a template from a JSON file of four fields.</summary>
    /// <exception cref="SafeLlamaException">
    /// It is not JSON, a field is missing, or a placeholder is missing or unknown.
    /// </exception>
    public static AlpacaTemplate Read(string path)
    {
        var rows = RowFile.Read(path).Rows;
        if (rows.Count != 1)
        {
            throw SafeLlamaException.InvalidData($"{path}: holds {rows.Count} objects, expected one template.");
        }

        var fields = rows[0].Fields;
        return new AlpacaTemplate(
            path,
            fields.ContainsKey("description") ? Field("description") : "",
            Field("prompt_input"),
            Field("prompt_no_input"),
            Field("response_split"),
            ContentHash.OfFile(path));

        string Field(string name) =>
            fields.TryGetValue(name, out var value) && value.ValueKind == JsonValueKind.String
                ? value.GetString()!
                : throw SafeLlamaException.InvalidData($"{path}: \"{name}\" is missing or no text; an Alpaca template "
                    + "has description, prompt_input, prompt_no_input and response_split.");
    }

    /// <summary>alpaca-lora's way: what stands behind the first response header, up to the next one.</summary>
    /// <remarks>
    /// A header in the user's text is taken for the answer's; <see cref="PromptTemplate.ExtractResponse"/> is not.
    /// </remarks>
    /// <exception cref="SafeLlamaException">The text holds no response header.</exception>
    public string SplitResponse(string full) =>
        full.Split(ResponseSplit) is { Length: > 1 } parts
            ? parts[1].Trim()
            : throw SafeLlamaException.InvalidData($"The answer holds no \"{ResponseSplit}\" to cut at.");

    private protected override IReadOnlyList<PromptSegment> RenderInstruction(InstructionExample row)
    {
        var segments = new List<PromptSegment> { PromptSegment.Begin };
        foreach (var piece in row.Input.Length == 0 ? _noInput : _withInput)
        {
            segments.Add(piece switch
            {
                "{instruction}" => PromptSegment.User(row.Instruction),
                "{input}" => PromptSegment.User(row.Input),
                _ => PromptSegment.Frame(piece),
            });
        }

        // Tokenizers join a space to the word behind it, so one that ends the template goes with the answer's first
        // word.
        if (segments[^1] is { Part: SegmentPart.Frame } last && last.Value.EndsWith(' '))
        {
            segments[^1] = PromptSegment.Frame(last.Value[..^1]);
            segments.Add(PromptSegment.Answer(" "));
        }

        return [.. segments, PromptSegment.Answer(row.Output), PromptSegment.End];
    }

    private protected override IReadOnlyList<PromptSegment> RenderConversation(
        IReadOnlyList<ChatMessage> messages, TrainingExample row) => messages switch
        {
            [{ Role: ChatRole.User } user] => RenderInstruction(new InstructionExample(user.Content, "", "")),
            [{ Role: ChatRole.User } user, { Role: ChatRole.Assistant } answer] =>
                RenderInstruction(new InstructionExample(user.Content, "", answer.Content)),
            _ => throw SafeLlamaException.Usage(
                $"{row.Place}the template {Name} holds one request and one answer, not a conversation of "
                + $"{messages.Count} messages.",
                "use `Template` llama2, llama3, chatml or vicuna"),
        };

    /// <summary>Splits a prompt at its placeholders, which become pieces of their own.</summary>
    private static List<string> Pieces(string name, string field, string prompt, string[] placeholders)
    {
        var pieces = new List<string>();
        var rest = prompt;
        while (rest.Length > 0)
        {
            var next = placeholders
                .Select(placeholder => (
                    Text: $"{{{placeholder}}}",
                    At: rest.IndexOf($"{{{placeholder}}}", StringComparison.Ordinal)))
                .Where(found => found.At >= 0)
                .OrderBy(found => found.At)
                .FirstOrDefault((Text: "", At: rest.Length));
            if (next.At > 0)
            {
                pieces.Add(rest[..next.At]);
            }

            pieces.Add(next.Text);
            rest = rest[(next.At + next.Text.Length)..];
        }

        pieces.RemoveAll(piece => piece.Length == 0);
        foreach (var placeholder in placeholders)
        {
            if (pieces.Count(piece => piece == $"{{{placeholder}}}") != 1)
            {
                throw SafeLlamaException.InvalidData(
                    $"{name}: \"{field}\" must hold {{{placeholder}}} exactly once.");
            }
        }

        return pieces;
    }
}
