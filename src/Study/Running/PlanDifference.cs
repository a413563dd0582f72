using System.Text.Json.Nodes;

namespace SafeLlama.Study;

/// <summary>Where two plans differ.</summary>
/// <param name="Field">The value's path, such as <c>training.rank</c>.</param>
/// <param name="Was">The value in the first plan.</param>
/// <param name="Is">The value in the second.</param>
internal sealed record PlanDifference(string Field, string Was, string Is)
{
    private const string None = "none";

    /// <summary>The first difference by the field's name; null where the plans are equal.</summary>
    public static PlanDifference? Find(JsonNode? was, JsonNode? now)
    {
        var (before, after) = (Leaves(was, "").ToDictionary(), Leaves(now, "").ToDictionary());
        return before.Keys.Union(after.Keys).Order(StringComparer.Ordinal)
            .Select(field => new PlanDifference(
                field, before.GetValueOrDefault(field, None), after.GetValueOrDefault(field, None)))
            .FirstOrDefault(field => field.Was != field.Is);
    }

    public override string ToString() => $"{Field} was {Was} and is {Is} now";

    /// <summary>Every value with its path; null is no value.</summary>
    private static IEnumerable<KeyValuePair<string, string>> Leaves(JsonNode? node, string path)
    {
        var inner = path.Length == 0 ? "" : path + ".";
        return node switch
        {
            JsonObject fields => fields.SelectMany(f => Leaves(f.Value, inner + f.Key)),
            JsonArray items => items.SelectMany((item, i) => Leaves(item, $"{inner}{i}")),
            JsonValue value => [new(path, value.ToJsonString())],
            _ => [],
        };
    }
}
