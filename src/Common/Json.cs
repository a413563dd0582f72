using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace SafeLlama.Common;

/// <summary>The one JSON configuration: snake_case names, enums by name, readable text, no nulls.</summary>
/// <remarks>
/// A number that is not finite is written as <c>"NaN"</c>, <c>"Infinity"</c> or <c>"-Infinity"</c>, since JSON has no
/// such numbers. Lines end in <c>\n</c> on every system, so that equal runs leave equal bytes.
/// </remarks>
public static class Json
{
    /// <summary>One record a line.</summary>
    public static JsonSerializerOptions Line { get; } = Make(indented: false);

    /// <summary>
    /// One process to another: nulls too, without which a record whose constructor takes one could not be read again.
    /// </summary>
    public static JsonSerializerOptions Message { get; } = new(Line)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.Never,
    };

    /// <summary>A document for people.</summary>
    public static JsonSerializerOptions Document { get; } = Make(indented: true);

    /// <summary>
    /// Reads what a person may have written: refuses unknown members, and accepts numbers given as text.
    /// </summary>
    public static JsonSerializerOptions Strict { get; } = new(Document)
    {
        NumberHandling = JsonNumberHandling.AllowReadingFromString | JsonNumberHandling.AllowNamedFloatingPointLiterals,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = false,
    };

    /// <summary>The text of a document's file.</summary>
    public static string FileText<T>(T value) => JsonSerializer.Serialize(value, Document) + "\n";

    private static JsonSerializerOptions Make(bool indented) => new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        WriteIndented = indented,
        NewLine = "\n",
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Converters = { new OneNameConverter(JsonNamingPolicy.SnakeCaseLower) },
    };
}
