using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using SafeLlama.Inference;

namespace SafeLlama.Evaluation;

/// <summary>How this room writes JSON: snake_case names, text left readable, one line a record or indented.</summary>
public static class EvaluationJson
{
    private static readonly string[] Later =
        ["min_p", "typical_p", "repetition_penalty", "no_repeat_ngram", "length_penalty"];

    /// <summary>One record a line.</summary>
    public static JsonSerializerOptions Line { get; } = Make(indented: false);

    /// <summary>A document for people.</summary>
    public static JsonSerializerOptions Document { get; } = Make(indented: true);

    private static JsonSerializerOptions Make(bool indented) => new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = indented,
        NewLine = "\n",
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { LeaveOutDefaults } },
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, false), new IntervalConverter() },
    };

    /// <summary>
    /// Settings that came after the first run folders are written only where they act, so a folder's decoding reads the
    /// same as ever.
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

    /// <summary>An interval as <c>[value, low, high]</c>; null where nothing could be estimated.</summary>
    private sealed class IntervalConverter : JsonConverter<Interval>
    {
        public override bool HandleNull => true;

        public override Interval Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            var numbers = JsonSerializer.Deserialize<double?[]?>(ref reader, options);
            return numbers switch
            {
                null => Interval.None,
                [{ } value, var low, var high] => new(value, low ?? double.NaN, high ?? double.NaN),
                _ => throw new JsonException("an interval is [value, low, high] or null."),
            };
        }

        /// <summary>A limit that nothing bounds is null.</summary>
        private static double? Known(double limit) => double.IsNaN(limit) ? null : limit;

        public override void Write(Utf8JsonWriter writer, Interval value, JsonSerializerOptions options)
        {
            if (value.IsNone)
            {
                writer.WriteNullValue();
            }
            else
            {
                JsonSerializer.Serialize(
                    writer, (double?[])[value.Value, Known(value.Low), Known(value.High)], options);
            }
        }
    }
}
