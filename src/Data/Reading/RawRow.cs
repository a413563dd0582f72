using System.Text.Json;

namespace SafeLlama.Data;

/// <summary>A row before interpretation: its fields by name, from any file format.</summary>
/// <param name="Number">The row's place in the file, from 1.</param>
/// <param name="Line">The line it begins on, from 1; the row's number in a Parquet file.</param>
/// <param name="Fields">Field values; text of CSV files arrives as JSON strings.</param>
public sealed record RawRow(int Number, int Line, IReadOnlyDictionary<string, JsonElement> Fields)
{
    /// <summary>Whether another row begins on the same line, so that the line alone does not name this one.</summary>
    public bool SharesLine { get; init; }

    /// <summary>Where the row is, for messages.</summary>
    /// <param name="path">The file, as the user named it.</param>
    public RowSource In(string path) => new(path, Line) { Row = SharesLine ? Number : null };
}
