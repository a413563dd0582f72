using System.Text.Json;
using System.Text.Json.Serialization;

namespace SafeLlama.Training;

/// <summary>An amount in a file: <c>200</c>, <c>0.05</c> or <c>"5%"</c>.</summary>
public sealed class AmountConverter : JsonConverter<Amount>
{
    public override Amount Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var text = reader.TokenType switch
        {
            JsonTokenType.Number => System.Text.Encoding.UTF8.GetString(reader.ValueSpan),
            JsonTokenType.String => reader.GetString()!,
            _ => "",
        };
        return Amount.TryParse(text)
            ?? throw new JsonException($"expected a count such as 200 or a share such as 5% or 0.05, found '{text}'.");
    }

    public override void Write(Utf8JsonWriter writer, Amount value, JsonSerializerOptions options)
    {
        if (value.IsShare)
        {
            writer.WriteStringValue(value.ToString());
        }
        else
        {
            writer.WriteNumberValue((int)value.Value);
        }
    }
}
