using System.Text.Json;
using SafeLlama.Common;

namespace SafeLlama.Study;

/// <summary>The JSON configuration of studies: the common one, but unknown keys are refused.</summary>
/// <remarks>YAML knows no types: a number may come as text.</remarks>
public static class StudyJson
{
    /// <summary>One record a line.</summary>
    public static JsonSerializerOptions Line { get; } = new(Json.Strict) { WriteIndented = false };

    /// <summary>A document for people.</summary>
    public static JsonSerializerOptions Document { get; } = Json.Strict;
}
