using System.Text.Json;
using System.Text.Json.Nodes;
using SafeLlama.Common;

namespace SafeLlama.Model;

/// <summary>Typed access to one JSON object, with errors that name file and field.</summary>
internal sealed record ConfigFields(string File, JsonObject Json)
{
    public bool Has(string name) => Json[name] is not null;

    public SafeLlamaException Error(string name, string what) => SafeLlamaException.InvalidData(
        $"{File}: \"{name}\" {what}.");

    public int Positive(string name)
    {
        if (Json[name] is not JsonValue value || !value.TryGetValue(out int number) || number <= 0)
        {
            throw Error(name, $"is {Json[name]?.ToJsonString() ?? "missing"}, expected a positive whole number");
        }

        return number;
    }

    public double Number(string name, double otherwise)
    {
        if (Json[name] is null)
        {
            return otherwise;
        }

        return Json[name] is JsonValue value && value.GetValueKind() == JsonValueKind.Number
            && value.TryGetValue(out double number)
            ? number
            : throw Error(name, $"is {Json[name]!.ToJsonString()}, expected a number");
    }

    public bool Flag(string name) => Json[name] switch
    {
        null => false,
        JsonValue value when value.TryGetValue(out bool flag) => flag,
        var other => throw Error(name, $"is {other.ToJsonString()}, expected true or false"),
    };

    public string? Text(string name) => Json[name] switch
    {
        null => null,
        JsonValue value when value.TryGetValue(out string? text) => text,
        var other => throw Error(name, $"is {other.ToJsonString()}, expected text"),
    };

    public IReadOnlyList<int> Ids(string name)
    {
        var nodes = Json[name] switch
        {
            null => [],
            JsonArray array => [.. array],
            var single => new List<JsonNode?> { single }
        };
        return [.. nodes.Select(node => node is JsonValue value && value.TryGetValue(out int id)
            ? id
            : throw Error(name, $"is {Json[name]!.ToJsonString()}, expected a token id or a list of them"))];
    }
}
