using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Evaluation;

/// <summary>Reads a suite from its file. A file with any fault is refused, not read in part.</summary>
public static class SuiteFile
{
    /// <exception cref="SafeLlamaException">The format is unknown, or reads no labels where there are some; a prompt
    /// lacks a field, or ids repeat.</exception>
    public static PromptSuite Read(string path, SuiteSource source)
    {
        var file = RowFile.Read(path, onePerLine: true);
        var format = FormatOf(file);
        var rows = file.Rows.Select(raw => new SuiteRow(raw, path, source)).ToArray();
        RequireNoLabels(path, source, format, rows);
        IReadOnlyList<SuitePrompt> prompts = [.. rows.Select(format.Read)];
        prompts = format.Link?.Invoke(rows, prompts) ?? prompts;
        foreach (var same in prompts.Select((prompt, i) => (prompt.Key, rows[i].Place)).GroupBy(x => x.Key))
        {
            if (same.Skip(1).FirstOrDefault() is { Key: not null } second)
            {
                throw SafeLlamaException.InvalidData(
                    $"{second.Place}: the id {same.Key} was already given on line {same.First().Place.Place}.");
            }
        }

        return new(source.Name, path, file.Sha256, prompts, [.. file.Notes, .. Remarks(path, source, format, prompts)]);
    }

    private static SuiteFormat FormatOf(RowFile file)
    {
        var columns = file.Rows[0].Fields.Keys.ToHashSet();
        return SuiteFormat.All.FirstOrDefault(format => format.Columns.All(columns.Contains))
            ?? throw SafeLlamaException.InvalidData(
                $"{file.Path}: has the fields {string.Join(", ", columns)}, which no known suite has. "
                + "Our own format is JSONL with \"prompt\", \"label\" and, if you like, \"id\".");
    }

    /// <summary>A prompt that its file calls safe must not be counted as unsafe because a field is
    /// misspelled.</summary>
    private static void RequireNoLabels(string path, SuiteSource source, SuiteFormat format, SuiteRow[] rows)
    {
        if (source.Rows == 0 && !format.States
            && rows.FirstOrDefault(row => row.Raw.Fields.TryGetValue("label", out var value)
                && value.ValueKind == JsonValueKind.String
                && Enum.TryParse<PromptLabel>(value.GetString(), ignoreCase: true, out _)) is { } labeled)
        {
            throw SafeLlamaException.InvalidData(
                $"{labeled.Place}: gives a prompt its \"label\", which is read beside a \"prompt\"; "
                + $"the file has {string.Join(", ", labeled.Raw.Fields.Keys)}. Rename them, or "
                + "take \"label\" out to count every prompt as unsafe.");
        }
    }

    private static IEnumerable<string> Remarks(
        string path, SuiteSource source, SuiteFormat format, IReadOnlyList<SuitePrompt> prompts)
    {
        if (source.Rows == 0 && !format.States)
        {
            yield return $"{path}: is no suite known by name; its prompts are taken to be unsafe "
                + "(our own JSONL has \"prompt\" and \"label\").";
        }

        if (source.Rows > 0 && prompts.Count != source.Rows)
        {
            yield return $"{path}: holds {prompts.Count} prompts, the released {source.Name} holds {source.Rows}.";
        }

        var distinct = prompts.Select(p => (p.Text, p.Surroundings)).Distinct().Count();
        if (distinct < prompts.Count)
        {
            yield return $"{path}: {Counted.Of(prompts.Count, "prompt")}, {distinct} distinct; all are asked.";
        }
    }
}
