using System.Text.Json;
using System.Text.Json.Serialization;
using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Evaluation;

/// <summary>Attack strings and what came of them, in the form of JailbreakBench's artifacts.</summary>
/// <remarks>
/// Fields that other programs wrote and that are not listed here are not read. What a file says of success is not
/// believed: its prompts are sent again and judged here. Chao et al. 2024, arXiv:2404.01318.
/// </remarks>
/// <param name="Method">The attack.</param>
/// <param name="Parameters">Model, settings and counts.</param>
/// <param name="Jailbreaks">One for each goal.</param>
public sealed record JailbreakArtifact(
    string Method, IReadOnlyDictionary<string, JsonElement> Parameters, IReadOnlyList<Jailbreak> Jailbreaks)
{
    /// <exception cref="SafeLlamaException">It cannot be written.</exception>
    public void Write(string path) => OutputFile.WriteText(path, JsonSerializer.Serialize(this, Json.Document) + "\n");

    /// <summary>Reads an artifact, or rows with <c>goal</c> and <c>prompt</c> from JSONL, JSON, CSV or
    /// Parquet.</summary>
    /// <exception cref="SafeLlamaException">It is neither.</exception>
    public static JailbreakArtifact Read(string path)
    {
        var bytes = FileErrors.Reading(path, () => File.ReadAllBytes(path));
        return Whole(path, bytes) ?? Rows(path);
    }

    private static JailbreakArtifact? Whole(string path, byte[] bytes)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(bytes.AsMemory(bytes.AsSpan().StartsWith("\ufeff"u8) ? 3 : 0));
        }
        catch (JsonException)
        {
            return null;        // rows, one a line, or another format: its reader says what is wrong
        }

        using (document)
        {
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("jailbreaks", out var list))
            {
                return null;
            }

            if (list.ValueKind != JsonValueKind.Array)
            {
                throw SafeLlamaException.InvalidData($"{path}: \"jailbreaks\" is no list.");
            }

            var parameters = root.TryGetProperty("parameters", out var p) && p.ValueKind == JsonValueKind.Object
                ? p.EnumerateObject().ToDictionary(f => f.Name, f => f.Value.Clone()) : [];
            var method = Text(root, "method") ?? (p.ValueKind == JsonValueKind.Object ? Text(p, "method") : null);
            return new(method ?? "unknown", parameters, [.. list.EnumerateArray().Select((row, i) => Of(path, row, i))]);
        }
    }

    private static Jailbreak Of(string path, JsonElement row, int index)
    {
        if (row.ValueKind != JsonValueKind.Object || Text(row, "goal") is not { Length: > 0 } goal)
        {
            throw SafeLlamaException.InvalidData(
                $"{path}: \"jailbreaks\"[{index}] has no text \"goal\", by which it belongs to a prompt.");
        }

        return new(index, goal, Text(row, "behavior"), Text(row, "category"), Text(row, "prompt"), Text(row, "response"));
    }

    private static JailbreakArtifact Rows(string path)
    {
        var file = RowFile.Read(path, onePerLine: true);
        var source = new SuiteSource(Path.GetFileNameWithoutExtension(path), path, PromptLabel.Unsafe, 0, "", "");
        return new(Path.GetFileNameWithoutExtension(path), new Dictionary<string, JsonElement>(),
            [.. file.Rows.Select((raw, i) =>
            {
                var row = new SuiteRow(raw, path, source);
                return new Jailbreak(
                    i, row.Text("goal"), row.Optional("behavior"), row.Optional("category"), row.Optional("prompt"),
                    row.Optional("response"));
            })]);
    }

    /// <summary>A text field; null where it is absent, null or half of a surrogate pair.</summary>
    private static string? Text(JsonElement row, string field)
    {
        try
        {
            return row.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String
                ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}

/// <summary>One goal of an artifact.</summary>
/// <param name="Index">Its number.</param>
/// <param name="Goal">The request as it is without an attack.</param>
/// <param name="Behavior">The request's name.</param>
/// <param name="Category">Its category.</param>
/// <param name="Prompt">What is sent: untrusted text; null where the attack found nothing.</param>
/// <param name="Response">What was answered: untrusted text.</param>
public sealed record Jailbreak(
    int Index, string Goal, string? Behavior, string? Category,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Prompt, string? Response)
{
    /// <summary>Whether the first judge calls the answer a success; null where it is invalid or unscored.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public bool? Jailbroken { get; init; }

    /// <summary>How often the model was asked.</summary>
    public int NumberOfQueries { get; init; } = 1;

    /// <summary>Tokens read, those of a prefilled beginning included.</summary>
    public int PromptTokens { get; init; }

    /// <summary>Tokens written.</summary>
    public int ResponseTokens { get; init; }

    /// <summary>The beginning of the answer that was given to the model; absent without.</summary>
    public string? Prefill { get; init; }

    /// <summary>The turns before the prompt, by role and content; absent without.</summary>
    public IReadOnlyList<JailbreakTurn>? Before { get; init; }
}

/// <summary>A turn before the prompt.</summary>
/// <param name="Role"><c>user</c> or <c>assistant</c>.</param>
/// <param name="Content">Untrusted text.</param>
public sealed record JailbreakTurn(string Role, string Content);
