using System.Globalization;
using System.Text.Json.Nodes;

namespace SafeLlama.Data.Tests.Tokenizers;

/// <summary>An added token as <see cref="PlainReading"/> sees it.</summary>
internal sealed record PlainToken(
    string Content, int Id, bool Special, bool SingleWord, bool Left, bool Right, bool Normalized)
{
    /// <summary>The list of the file, overruled by <c>added_tokens_decoder</c> and by roles.</summary>
    public static List<PlainToken> All(JsonObject file, JsonObject config, Dictionary<string, int> vocabulary)
    {
        var tokens = new List<PlainToken>();
        foreach (var token in file["added_tokens"]?.AsArray() ?? [])
        {
            Put(tokens, token!.AsObject(), vocabulary);
        }

        foreach (var (_, token) in (config["added_tokens_decoder"]?.AsObject() ?? [])
            .OrderBy(t => int.Parse(t.Key, CultureInfo.InvariantCulture)))
        {
            Put(tokens, token!.AsObject(), vocabulary);
        }

        foreach (var (role, spelling) in Roles(config))
        {
            var at = tokens.FindIndex(t => t.Content == spelling);
            if (at >= 0)
            {
                tokens[at] = tokens[at] with { Special = true };
            }
            else if (vocabulary.TryGetValue(spelling, out var id))
            {
                var placed = role is "bos_token" or "eos_token" or "additional_special_tokens"
                    || Roles(config).Any(r => r.Spelling == spelling
                        && r.Role is "bos_token" or "eos_token" or "additional_special_tokens");
                tokens.Add(new(spelling, id, placed, false, false, false, false));
            }
        }

        return tokens;
    }

    private static IEnumerable<(string Role, string Spelling)> Roles(JsonObject config)
    {
        string[] names = ["bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token"];
        var found = names.Where(name => config[name] is not null).Select(name => (name, Spelling(config[name]!)));
        return config["additional_special_tokens"] is JsonArray more
            ? found.Concat(more.Select(token => ("additional_special_tokens", Spelling(token!)))).Distinct()
            : found.Distinct();
    }

    private static string Spelling(JsonNode node) =>
        node is JsonValue ? node.GetValue<string>() : node["content"]!.GetValue<string>();

    private static void Put(List<PlainToken> tokens, JsonObject token, Dictionary<string, int> vocabulary)
    {
        bool Flag(string name, bool otherwise) => token[name]?.GetValue<bool>() ?? otherwise;
        var content = token["content"]!.GetValue<string>();
        var known = tokens.FindIndex(t => t.Content == content);
        var last = tokens.Count == 0 ? -1 : tokens.Max(t => t.Id);
        var id = known >= 0 ? tokens[known].Id
            : vocabulary.TryGetValue(content, out var inVocabulary) ? inVocabulary
            : last >= vocabulary.Count ? last + 1 : vocabulary.Count;
        var special = Flag("special", true);
        var made = new PlainToken(
            content, id, special, Flag("single_word", false), Flag("lstrip", false), Flag("rstrip", false),
            Flag("normalized", !special));
        tokens.RemoveAll(t => t.Content == content);
        tokens.Insert(known >= 0 ? known : tokens.Count, made);
    }
}

/// <summary>GPT-2's printed bytes.</summary>
internal static class PlainBytes
{
    public static char Print(byte value)
    {
        bool Stays(int b) => b is (>= 33 and <= 126) or (>= 161 and <= 172) or (>= 174 and <= 255);
        return Stays(value) ? (char)value : (char)(256 + Enumerable.Range(0, value).Count(b => !Stays(b)));
    }
}
