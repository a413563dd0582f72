using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace SafeLlama.Common;

/// <summary>Reads a share that a person wrote as <c>5%</c> or <c>0.05</c>; writes the number.</summary>
/// <remarks>Whether the number is between 0 and 1 is for the reader of the whole to say.</remarks>
public sealed class ShareConverter : JsonConverter<double>
{
    public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.Number)
        {
            return reader.GetDouble();
        }

        var text = reader.TokenType == JsonTokenType.String ? reader.GetString()! : "";
        return text.EndsWith('%') && Share.TryParse(text, CultureInfo.InvariantCulture, out var share) ? share.Value
            : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
                && double.IsFinite(value) ? value
            : throw new JsonException($"expected a share such as 5% or 0.05, found '{text}'.");
    }

    public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options) =>
        writer.WriteNumberValue(value);
}
