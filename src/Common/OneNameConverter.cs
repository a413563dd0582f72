using System.Text.Json;
using System.Text.Json.Serialization;

namespace SafeLlama.Common;

/// <summary>Enums by name: one of them, where the converter beneath would take a list and combine its values.</summary>
internal sealed class OneNameConverter(JsonNamingPolicy names) : JsonConverterFactory
{
    private readonly JsonStringEnumConverter _names = new(names, allowIntegerValues: false);

    public override bool CanConvert(Type typeToConvert) => _names.CanConvert(typeToConvert);

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        (JsonConverter)Activator.CreateInstance(
            typeof(One<>).MakeGenericType(typeToConvert), _names.CreateConverter(typeToConvert, options))!;

    private sealed class One<T>(JsonConverter<T> inner) : JsonConverter<T>
        where T : struct
    {
        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.String && reader.GetString()!.Contains(',', StringComparison.Ordinal)
                ? throw new JsonException($"The JSON value could not be converted to {typeToConvert}.")
                : inner.Read(ref reader, typeToConvert, options);

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
            inner.Write(writer, value, options);

        public override T ReadAsPropertyName(
            ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            JsonSerializer.SerializeToElement(reader.GetString()).Deserialize<T>(options);

        public override void WriteAsPropertyName(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
            writer.WritePropertyName(JsonSerializer.SerializeToElement(value, options).GetString()!);
    }
}
