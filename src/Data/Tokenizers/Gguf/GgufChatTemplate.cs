using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>The chat template that a GGUF file holds in its keys.</summary>
internal static class GgufChatTemplate
{
    public const string Key = "tokenizer.chat_template";

    private static readonly (string Name, string Key)[] Roles =
    [
        ("bos_token", "tokenizer.ggml.bos_token_id"),
        ("eos_token", "tokenizer.ggml.eos_token_id"),
        ("unk_token", "tokenizer.ggml.unknown_token_id"),
        ("pad_token", "tokenizer.ggml.padding_token_id"),
    ];

    /// <summary>The template and the special tokens it may write; null where the file holds none.</summary>
    /// <exception cref="SafeLlamaException">A key is of another type, or an id has no token.</exception>
    public static ChatTemplateFile? Find(GgufKeys keys)
    {
        if (!keys.Has(Key))
        {
            return null;
        }

        var spellings = GgufTokenizer.Spellings(keys);
        var tokens = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, key) in Roles)
        {
            if (keys.Id(key) is { } id)
            {
                tokens[name] = id < spellings.Length
                    ? spellings[id]
                    : throw keys.Wrong(key, $"is {id}, outside the {spellings.Length} tokens");
            }
        }

        return new ChatTemplateFile(keys.Path, keys.Text(Key), tokens)
        {
            RuntimeBegins = GgufTokenizer.AddsBos(keys),
        };
    }
}
