using System.Text.Json.Nodes;

namespace SafeLlama.Testing;

/// <summary>Changes a JSON file as faults and other versions do: other values, fields gone, elements moved.</summary>
public sealed class Mutations(int seed)
{
    private static readonly string[] Values =
    [
        "null", "true", "false", "0", "1", "2", "-1", "3.5", "1e9", "99999999999", "[]", "{}", "\"\"", "\"▁\"", "\" \"",
        "\"a\"", "\"he\"", "\"<think>\"", "\"<s>\"", "\"</s>\"", "\"<unk>\"", "\"first\"", "\"always\"", "\"never\"",
        "\"olora\"", "\"all-linear\"", "[\"q_proj\"]", "{\"q_proj\": 4}",
        "\"Isolated\"", "\"MergedWithNext\"", "\"Contiguous\"", "\"Removed\"", "[1, 2]",
        "\"LlamaTokenizer\"", "\"\\\\p{N}\"",
        "{\"type\":\"Sequence\",\"normalizers\":[]}", "{\"type\":\"Prepend\",\"prepend\":\"▁\"}",
        "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"▁\"}",
        "{\"type\":\"Metaspace\",\"replacement\":\"▁\",\"prepend_scheme\":\"first\",\"split\":true}",
        "{\"type\":\"Digits\",\"individual_digits\":true}",
        "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"\\\\s|e\"},\"behavior\":\"MergedWithPrevious\",\"invert\":false}",
        "{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"use_regex\":true}",
        "{\"content\":\"the\",\"id\":300,\"special\":false,\"single_word\":true}",
        "{\"content\":\"<think>\",\"id\":301,\"special\":false,\"lstrip\":true,\"rstrip\":true}",
        "{\"content\":\"lo\",\"id\":302,\"special\":false,\"normalized\":true}",
        "{\"content\":\"he\",\"id\":302,\"special\":true}",
    ];

    private readonly Random _random = new(seed);

    public JsonObject Of(JsonObject original)
    {
        var copy = original.DeepClone().AsObject();
        for (var i = _random.Next(1, 4); i > 0; i--)
        {
            Change(copy);
        }

        return copy;
    }

    private void Change(JsonObject root)
    {
        // Walk down at random: so the many tokens and merges do not hide the few settings.
        JsonNode node = root;
        while (true)
        {
            var keys = node is JsonObject fields ? fields.Select(f => f.Key).ToList() : [];
            var count = node is JsonArray list ? list.Count : keys.Count;
            if (count == 0)
            {
                return;
            }

            var at = _random.Next(count);
            var child = node is JsonArray array ? array[at] : node[keys[at]];
            if (child is JsonObject or JsonArray && _random.Next(6) > 0)
            {
                node = child;
                continue;
            }

            if (node is JsonArray elements)
            {
                Change(elements, at);
            }
            else
            {
                Change(node.AsObject(), keys[at]);
            }

            return;
        }
    }

    private void Change(JsonArray list, int at)
    {
        switch (_random.Next(5))
        {
            case 0:
                list.RemoveAt(at);
                break;
            case 1:
                list.Insert(_random.Next(list.Count + 1), list[at]?.DeepClone());
                break;
            case 2:
                var moved = list[at]?.DeepClone();
                list.RemoveAt(at);
                list.Insert(_random.Next(list.Count + 1), moved);
                break;
            case 3:
                list.Insert(at, Value());
                break;
            default:
                list[at] = Value();
                break;
        }
    }

    private void Change(JsonObject fields, string key)
    {
        switch (_random.Next(5))
        {
            case 0:
                fields.Remove(key);
                break;
            case 1 when fields[key] is JsonValue value && value.TryGetValue(out bool flag):
                fields[key] = !flag;
                break;
            case 2 when fields[key] is JsonValue value && value.TryGetValue(out int number):
                fields[key] = number + _random.Next(-2, 3);
                break;
            case 3:
                var renamed = fields[key]?.DeepClone();
                fields.Remove(key);
                fields[key + "x"] = renamed;
                break;
            default:
                fields[key] = Value();
                break;
        }
    }

    private JsonNode? Value() => JsonNode.Parse(Values[_random.Next(Values.Length)]);
}
