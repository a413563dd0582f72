using System.Text.Json;

namespace SafeLlama.Data;

/// <summary>Evaluation files that keep columns: <c>{"instructions": […], "tags": […], "inputs": []}</c>.</summary>
/// <remarks>An empty column adds no field; a column of another length is a fault.</remarks>
internal static class ColumnRows
{
    private const string Leading = "instructions";

    public static bool Fits(Dictionary<string, JsonElement> fields) =>
        fields.TryGetValue(Leading, out var value) && value.ValueKind == JsonValueKind.Array;

    public static void Read(ReadOnlyMemory<byte> text, Dictionary<string, JsonElement> fields, RowCollector found)
    {
        var count = fields[Leading].GetArrayLength();
        var columns = new List<(string Name, JsonElement[] Values)>();
        foreach (var (name, value) in fields)
        {
            if (value.ValueKind != JsonValueKind.Array)
            {
                found.Note($"\"{name}\" is not a column and was passed over.");
            }
            else if (value.GetArrayLength() is var length && length == count)
            {
                columns.Add((name.EndsWith('s') ? name[..^1] : name, [.. value.EnumerateArray()]));
            }
            else if (length != 0)
            {
                found.Fault(1, name, $"has {length} entries, expected {count} as \"{Leading}\" has, or none.");
            }
        }

        var lines = LinesOfEntries(text, count);
        for (var row = 0; row < count; row++)
        {
            found.Row(lines[row], columns.ToDictionary(column => column.Name, column => column.Values[row]));
        }
    }

    private static int[] LinesOfEntries(ReadOnlyMemory<byte> text, int count)
    {
        var start = JsonRows.StartOfArray(text.Span, Leading);
        var counter = new LineCounter(text);
        var reader = new Utf8JsonReader(text.Span[(int)start..]);
        var lines = new int[count];
        reader.Read();
        for (var row = 0; row < count; row++)
        {
            reader.Read();
            lines[row] = counter.At(start + reader.TokenStartIndex);
            reader.Skip();
        }

        return lines;
    }
}
