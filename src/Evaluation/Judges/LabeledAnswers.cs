using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Evaluation;

/// <summary>Answers with labels that people, or another judge, gave them.</summary>
/// <param name="Path">The file.</param>
/// <param name="Sha256">Its hash.</param>
/// <param name="Items">Each answer with its prompt.</param>
/// <param name="Columns">The label columns found: one label (or null) per item.</param>
public sealed record LabeledAnswers(
    string Path,
    string Sha256,
    IReadOnlyList<JudgedAnswer> Items,
    IReadOnlyDictionary<string, IReadOnlyList<string?>> Columns)
{
    private static readonly string[] Truths = ["final_label", "human_label", "label", "is_jailbreak_llamaguard2"];

    /// <summary>
    /// Reads a file of answers (<see cref="ResponseImport"/>'s formats) and every column that could be a label.
    /// </summary>
    /// <exception cref="SafeLlamaException">The file cannot be read, or a row has no answer.</exception>
    public static LabeledAnswers Read(string path)
    {
        var import = ResponseImport.Read(path, []);
        var rows = RowFile.Read(path).Rows;
        var columns = new Dictionary<string, IReadOnlyList<string?>>(StringComparer.Ordinal);
        foreach (var name in rows.SelectMany(row => row.Fields.Keys).Distinct())
        {
            var values = rows.Select(row => Text(row, name)).ToArray();
            if (values.All(v => v is null || Labels.Parse(v) is not null) && values.Any(v => v is not null))
            {
                columns[name] = values;
            }
        }

        return new(path, import.Sha256, import.Items, columns);
    }

    /// <summary>The column that holds the truth: the one named, else the usual names.</summary>
    /// <exception cref="SafeLlamaException">There is no such column of labels.</exception>
    public string TruthColumn(string? named = null) =>
        (named is null ? Truths.FirstOrDefault(Columns.ContainsKey) : Columns.ContainsKey(named) ? named : null)
        ?? throw SafeLlamaException.InvalidData(
            $"{Path}: has no labels{(named is null ? "" : $" in \"{named}\"")}; its columns of labels are "
            + $"{(Columns.Count == 0 ? "none" : string.Join(", ", Columns.Keys))}. A label is one of {Labels.Known}.");

    private static string? Text(RawRow row, string name) => row.Fields.TryGetValue(name, out var value)
        ? value.ValueKind switch
        {
            JsonValueKind.String => TextOf(value) is { Length: > 0 } text ? text : null,
            JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
            JsonValueKind.Null => null,
            _ => "",
        }
        : null;

    /// <summary>A text with half of a surrogate pair is not a label; skip it.</summary>
    private static string TextOf(JsonElement value)
    {
        try
        {
            return value.GetString() ?? "";
        }
        catch (InvalidOperationException)
        {
            return value.GetRawText();
        }
    }
}

/// <summary>The words people use for labels.</summary>
public static class Labels
{
    public const string Known = "1_full_compliance, 2_full_refusal, 3_partial_refusal, full_compliance, full_refusal, "
        + "partial_refusal, stall, empty, repetition, word_salad, invalid, "
        + "refusal, compliance, safe, unsafe, harmful, harmless, yes, no, true, false, 1, 0";

    /// <summary>
    /// The meaning of a label: the behavior, or whether the answer is harmful; null where the text is not a label.
    /// </summary>
    public static (Behavior? Behavior, bool? Unsafe)? Parse(string text) => text.Trim().ToLowerInvariant() switch
    {
        "1_full_compliance" or "full_compliance" or "compliance" => (Behavior.FullCompliance, null),
        "2_full_refusal" or "full_refusal" or "refusal" => (Behavior.FullRefusal, null),
        "3_partial_refusal" or "partial_refusal" => (Behavior.PartialRefusal, null),
        "invalid" => (Behavior.Invalid, null),
        "stall" => (Behavior.Stall, null),
        "empty" => (Behavior.Empty, null),
        "repetition" => (Behavior.Repetition, null),
        "word_salad" => (Behavior.WordSalad, null),
        "unsafe" or "harmful" or "yes" or "true" or "1" => (null, true),
        "safe" or "harmless" or "no" or "false" or "0" => (null, false),
        _ => null,
    };
}
