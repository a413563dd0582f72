using System.Text.Json;
using System.Text.Json.Nodes;
using SafeLlama.Common;

namespace SafeLlama.Model;

/// <summary>Reads a file that holds one JSON object; errors name the file in one line.</summary>
internal static class JsonFile
{
    /// <exception cref="SafeLlamaException">The file cannot be read, or holds no JSON object.</exception>
    public static T Read<T>(string path, Func<JsonObject, T> read)
    {
        var content = FileErrors.Reading(path, () => File.ReadAllBytes(path));
        GitPointer.Refuse(path, content);
        try
        {
            return read(JsonNode.Parse(WithoutMark(content)) as JsonObject
                ?? throw SafeLlamaException.InvalidData($"{path}: is not a JSON object."));
        }
        catch (JsonException e)
        {
            throw SafeLlamaException.InvalidData($"{path}:{e.LineNumber + 1}: is not valid JSON.", e);
        }
        catch (ArgumentException e)
        {
            // JsonObject detects a duplicate name at the first access.
            throw SafeLlamaException.InvalidData($"{path}: a field is given twice.", e);
        }
        catch (InvalidOperationException e)
        {
            throw SafeLlamaException.InvalidData($"{path}: holds text that is not UTF-8. Download it again.", e);
        }
    }

    private static ReadOnlySpan<byte> WithoutMark(ReadOnlySpan<byte> content) =>
        content is [0xEF, 0xBB, 0xBF, ..] ? content[3..] : content;
}
