using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>What a model's <c>config.json</c> says of its tokens; null or empty where it says nothing.</summary>
/// <param name="Bos"><c>bos_token_id</c>.</param>
/// <param name="Eos"><c>eos_token_id</c>, one or several.</param>
/// <param name="Pad"><c>pad_token_id</c>; −1, as the first LLaMA has it, means none.</param>
/// <param name="VocabularySize"><c>vocab_size</c>.</param>
public sealed record ModelTokens(int? Bos, IReadOnlyList<int> Eos, int? Pad, int? VocabularySize)
{
    /// <summary>Reads the ids from a <c>config.json</c>, the folder that holds it, or a GGUF file's keys.</summary>
    /// <exception cref="SafeLlamaException">The file is broken, or an id is no whole number.</exception>
    public static ModelTokens Read(string path) => GgufHeader.IsGguf(path)
        ? GgufTokenizer.Ids(GgufHeader.Read(path).Keys)
        : ReadJson(Directory.Exists(path) ? Path.Combine(path, "config.json") : path);

    private static ModelTokens ReadJson(string path) => ConfigField.Read(path, root => new ModelTokens(
        Id(root["bos_token_id"]),
        root["eos_token_id"].IdOrIds(),
        Id(root["pad_token_id"]) is { } pad and not -1 ? pad : null,
        Id(root["vocab_size"])));

    private static int? Id(ConfigField field) => field.IsMissing ? null : field.Number();
}
