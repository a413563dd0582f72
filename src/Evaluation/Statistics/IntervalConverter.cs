using System.Text.Json;
using System.Text.Json.Serialization;

namespace SafeLlama.Evaluation;

/// <summary>An interval as <c>{"value", "low", "high", "level"}</c>; null where nothing could be estimated, and a limit
/// that nothing bounds is null.</summary>
/// <remarks>Files written before held <c>[value, low, high]</c>, at the same level; they are read too.</remarks>
internal sealed class IntervalConverter : JsonConverter<Interval>
{
    public override bool HandleNull => true;

    public override Interval Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.StartArray)
        {
            return JsonSerializer.Deserialize<double?[]>(ref reader, options) is [{ } value, var low, var high]
                ? new(value, low ?? double.NaN, high ?? double.NaN)
                : throw new JsonException("an interval is {value, low, high, level} or [value, low, high].");
        }

        return JsonSerializer.Deserialize<Form>(ref reader, options) is { } form
            ? new(form.Value, form.Low ?? double.NaN, form.High ?? double.NaN)
            : Interval.None;
    }

    public override void Write(Utf8JsonWriter writer, Interval value, JsonSerializerOptions options)
    {
        if (value.IsNone)
        {
            writer.WriteNullValue();
            return;
        }

        writer.WriteStartObject();
        writer.WriteNumber("value", value.Value);
        WriteLimit(writer, "low", value.Low);
        WriteLimit(writer, "high", value.High);
        writer.WriteNumber("level", Interval.Level);
        writer.WriteEndObject();
    }

    private static void WriteLimit(Utf8JsonWriter writer, string name, double limit)
    {
        if (double.IsNaN(limit))
        {
            writer.WriteNull(name);
        }
        else
        {
            writer.WriteNumber(name, limit);
        }
    }

    internal sealed record Form(double Value, double? Low, double? High, double Level);
}
