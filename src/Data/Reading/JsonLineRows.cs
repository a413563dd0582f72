using System.Text.Json;

namespace SafeLlama.Data;

/// <summary>
/// JSONL: one object a line. A line that is not JSON is a fault of its own; the others are still read.
/// </summary>
internal static class JsonLineRows
{
    public static void Read(ReadOnlyMemory<byte> text, RowCollector found)
    {
        var rest = text.Span;
        for (var line = 1; rest.Length > 0; line++)
        {
            var end = rest.IndexOf((byte)'\n');
            var current = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[(end + 1)..];
            if (current.Trim(" \t\r"u8).Length > 0)
            {
                ReadLine(current, line, found);
            }
        }
    }

    private static void ReadLine(ReadOnlySpan<byte> text, int line, RowCollector found)
    {
        try
        {
            var reader = new Utf8JsonReader(text);
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                found.Fault(line, "", $"is a JSON {Name(reader.TokenType)}, expected an object of named fields.");
                return;
            }

            var fields = JsonFields.Read(ref reader);
            if (reader.Read())
            {
                throw new JsonException("more follows the object on the same line.");
            }

            found.Row(line, fields);
        }
        catch (JsonException e)
        {
            found.Fault(line, "", JsonFields.Reason(e) + (e.BytePositionInLine is null
                ? "" : " Expected an object of named fields on every line."));
        }
    }

    internal static string Name(JsonTokenType type) => type switch
    {
        JsonTokenType.StartObject => "object",
        JsonTokenType.StartArray => "array",
        JsonTokenType.String => "string",
        JsonTokenType.Number => "number",
        JsonTokenType.True or JsonTokenType.False => "true or false",
        _ => "null",
    };
}
