using System.Text.Json;

namespace SafeLlama.Data;

/// <summary>Reads one JSON object into fields, refusing a name given twice.</summary>
internal static class JsonFields
{
    /// <summary>
    /// The fields of the object <paramref name="reader"/> stands at the start of; it ends on the closing brace.
    /// </summary>
    /// <exception cref="JsonException">The text is not JSON, or a name is given twice.</exception>
    public static Dictionary<string, JsonElement> Read(ref Utf8JsonReader reader)
    {
        var fields = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        while (Next(ref reader) && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = Text(ref reader);
            Next(ref reader);
            if (!fields.TryAdd(name, JsonElement.ParseValue(ref reader)))
            {
                throw new JsonException($"the field \"{name}\" is given twice.");
            }
        }

        return fields;
    }

    /// <summary>
    /// The reason without .NET's own account of line and path, which counts from 0 and within the row.
    /// </summary>
    public static string Reason(JsonException e)
    {
        // Errors of the runtime have a place; ours have a message.
        return "is not JSON: " + (e.BytePositionInLine is { } position
            ? $"what stands at byte {position + 1} of the line cannot stand there."
            : e.Message.ReplaceLineEndings(" ").Trim());
    }

    private static bool Next(ref Utf8JsonReader reader) =>
        reader.Read() ? true : throw new JsonException("the text ends in the middle of an object.");

    private static string Text(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString() ?? "";
        }
        catch (InvalidOperationException)
        {
            throw new JsonException("a field's name holds half of a surrogate pair.");
        }
    }
}
