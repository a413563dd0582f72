using System.Text.Encodings.Web;
using System.Text.Json;
using SafeLlama.Common;

namespace SafeLlama.Lab;

/// <summary>Values for a page's script.</summary>
internal static class LabJson
{
    /// <summary>The default encoder leaves no character that could end a script element.</summary>
    private static readonly JsonSerializerOptions InPage = new(Json.Line) { Encoder = JavaScriptEncoder.Default };

    public static string Inline<T>(T value) => JsonSerializer.Serialize(value, InPage);
}
