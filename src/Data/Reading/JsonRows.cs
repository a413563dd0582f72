using System.Text.Json;

namespace SafeLlama.Data;

/// <summary>A JSON file: an array of row objects, an object of columns, or an object around an array of rows.</summary>
internal static class JsonRows
{
    /// <summary>Names under which an object may keep its rows.</summary>
    private static readonly string[] RowArrays = ["examples", "completions", "data", "rows"];

    public static void Read(ReadOnlyMemory<byte> text, RowCollector found)
    {
        var trimmed = text.Span.TrimStart(" \t\r\n"u8);
        if (trimmed.IsEmpty)
        {
            found.Fault(1, "", "is empty.");
            return;
        }

        if (trimmed[0] == (byte)'{')
        {
            ReadObject(text, found);
        }
        else
        {
            ReadArray(text, 0, found);
        }
    }

    /// <summary>Reads the array of rows that begins at or after byte <paramref name="start"/>.</summary>
    private static void ReadArray(ReadOnlyMemory<byte> text, long start, RowCollector found)
    {
        var lines = new LineCounter(text);
        var reader = new Utf8JsonReader(text.Span[(int)start..]);
        var rowsBefore = found.Count;
        try
        {
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartArray)
            {
                found.Fault(1, "", $"is a JSON {JsonLineRows.Name(reader.TokenType)}, expected an array of rows.");
                return;
            }

            for (var place = 1; reader.Read() && reader.TokenType != JsonTokenType.EndArray; place++)
            {
                var line = lines.At(start + reader.TokenStartIndex);
                if (reader.TokenType == JsonTokenType.StartObject)
                {
                    found.Row(line, JsonFields.Read(ref reader));
                    continue;
                }

                found.Fault(
                    line, "", $"row {place} is a JSON {JsonLineRows.Name(reader.TokenType)}, expected an object.");
                reader.Skip();
            }

            if (start == 0 && reader.Read())
            {
                found.Fault(lines.At(reader.TokenStartIndex), "", "more follows the end of the array.");
            }
        }
        catch (JsonException e)
        {
            found.Fault(lines.At(start + reader.BytesConsumed), "", JsonFields.Reason(e)
                + $" Rows read before it: {found.Count - rowsBefore}; what follows cannot be read.");
        }
    }

    private static void ReadObject(ReadOnlyMemory<byte> text, RowCollector found)
    {
        var lines = new LineCounter(text);
        var reader = new Utf8JsonReader(text.Span);
        Dictionary<string, JsonElement> fields;
        try
        {
            reader.Read();
            fields = JsonFields.Read(ref reader);
        }
        catch (JsonException e)
        {
            found.Fault(lines.At(reader.BytesConsumed), "", JsonFields.Reason(e));
            return;
        }

        if (MoreFollows(reader))
        {
            found.Note("is JSONL under the name .json: one object a line.");
            JsonLineRows.Read(text, found);
        }
        else if (ColumnRows.Fits(fields))
        {
            ColumnRows.Read(text, fields, found);
        }
        else if (RowArrays.FirstOrDefault(name => IsArray(fields, name)) is { } rows)
        {
            found.Note($"rows are those of \"{rows}\"; passed over: {Names(fields.Keys.Where(name => name != rows))}.");
            ReadArray(text, StartOfArray(text.Span, rows), found);
        }
        else
        {
            found.Row(lines.At(text.Length - text.Span.TrimStart(" \t\r\n"u8).Length), fields);
        }
    }

    private static bool MoreFollows(Utf8JsonReader reader)
    {
        try
        {
            return reader.Read();
        }
        catch (JsonException)
        {
            return true;
        }
    }

    private static bool IsArray(Dictionary<string, JsonElement> fields, string name) =>
        fields.TryGetValue(name, out var value) && value.ValueKind == JsonValueKind.Array;

    private static string Names(IEnumerable<string> names) =>
        string.Join(", ", names.Select(name => $"\"{name}\"")) is { Length: > 0 } listed ? listed : "nothing";

    /// <summary>The byte at which the array of the top-level field <paramref name="name"/> begins.</summary>
    internal static long StartOfArray(ReadOnlySpan<byte> text, string name)
    {
        var reader = new Utf8JsonReader(text);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var sought = reader.ValueTextEquals(name);
            reader.Read();
            if (sought)
            {
                return reader.TokenStartIndex;
            }

            reader.Skip();
        }

        return 0;
    }
}
