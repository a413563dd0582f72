using System.Text.Json;
using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>Writes pairs of instructions as JSONL, one a line, in the fields <see cref="PreferenceFile"/>
/// reads.</summary>
public static class PreferenceWriter
{
    /// <exception cref="SafeLlamaException">The file exists already, or cannot be written.</exception>
    public static void Write(string path, IReadOnlyList<PreferenceRow> rows)
    {
        if (File.Exists(path))
        {
            throw SafeLlamaException.Usage($"`Out` {path}: exists, and nothing is overwritten. Name another file.");
        }

        var lines = rows.Select(row => JsonSerializer.Serialize(Line(row), Json.Line) + "\n");
        OutputFile.WriteText(path, string.Concat(lines));
    }

    private static PairLine Line(PreferenceRow row) =>
        row is { Chosen: InstructionExample c, Rejected: InstructionExample r }
        ? new(c.Id, c.Category, c.OriginId, c.Instruction, c.Input, c.Output, r.Output)
        : throw new ArgumentException($"{row.Id} is no pair of answers to an instruction", nameof(row));

    private sealed record PairLine(
        string Id, string? Category, string? OriginId, string Instruction, string Input, string Chosen,
        string Rejected);
}
