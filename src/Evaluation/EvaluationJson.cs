using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using SafeLlama.Common;
using SafeLlama.Inference;

namespace SafeLlama.Evaluation;

/// <summary>The JSON configuration of evaluation: the common one, with intervals.</summary>
public static class EvaluationJson
{
    private static readonly string[] Later =
        ["min_p", "typical_p", "repetition_penalty", "no_repeat_ngram", "length_penalty"];

    /// <summary>One record a line.</summary>
    public static JsonSerializerOptions Line { get; } = Make(Json.Line);

    /// <summary>A document for people.</summary>
    public static JsonSerializerOptions Document { get; } = Make(Json.Document);

    private static JsonSerializerOptions Make(JsonSerializerOptions common) => new(common)
    {
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { LeaveOutDefaults } },
        Converters = { new IntervalConverter() },
    };

    /// <summary>
    /// Settings that were added after the first run folders are written only where they differ from their default, so
    /// older folders stay comparable.
    /// </summary>
    private static void LeaveOutDefaults(JsonTypeInfo type)
    {
        if (type.Type != typeof(DecodingConfig))
        {
            return;
        }

        var defaults = new DecodingConfig();
        foreach (var property in type.Properties.Where(p => Later.Contains(p.Name)))
        {
            property.ShouldSerialize = (_, value) => !Equals(value, property.Get!(defaults));
        }
    }
}
