using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Inference;

/// <summary>Hashes of everything but the decoding that a model's answers depend on.</summary>
/// <param name="Facts">
/// Hashes of the tokenizer, the template (or its name, if built in), <c>config.json</c>, and every file of weights and
/// of the adapter; and what products are computed in, where it is not fp32.
/// </param>
public sealed record ModelIdentity(IReadOnlyDictionary<string, string> Facts)
{
    /// <summary>One hash over all facts.</summary>
    public string Hash { get; } = ContentHash.OfText(
        string.Join('\n', Facts.OrderBy(f => f.Key).Select(f => $"{f.Key} {f.Value}")));

    /// <param name="folder">Hugging Face layout, or a GGUF file, which holds its configuration.</param>
    /// <param name="adapter">A PEFT folder, or null.</param>
    /// <param name="tokenizer">The tokenizer's hash.</param>
    /// <param name="template">A template's <see cref="Data.PromptTemplate.Identity"/>.</param>
    /// <param name="load">What the linears became as they were read.</param>
    /// <param name="operands">What the backend rounds the operands of large products to.</param>
    public static ModelIdentity Of(
        string folder, string? adapter, string tokenizer, string template, LoadForm load = default,
        DType operands = DType.Float32)
    {
        var facts = new Dictionary<string, string>
        {
            ["tokenizer"] = tokenizer,
            ["template"] = template,
        };
        if (load != LoadForm.Stored)
        {
            facts["load"] = load.ToString();
        }

        if (operands != DType.Float32)
        {
            facts["arithmetic"] = operands.ToString().ToLowerInvariant();
        }

        if (!GgufHeader.IsGguf(folder))
        {
            facts["config.json"] = ContentHash.OfFile(Path.Combine(folder, "config.json"));
        }

        foreach (var (file, hash) in Weights(folder, adapter))
        {
            facts[file] = hash;
        }

        return new(facts);
    }

    /// <summary>The facts of all files of weights: <c>weights FILE</c> and <c>adapter FILE</c>, with their
    /// hashes.</summary>
    public static IReadOnlyDictionary<string, string> Weights(string folder, string? adapter) =>
        new Dictionary<string, string>(
    [
        .. WeightsIn(folder).Select(file => KeyValuePair.Create($"weights {file.File}", file.Hash)),
        .. adapter is null ? []
            : WeightsIn(adapter).Select(file => KeyValuePair.Create($"adapter {file.File}", file.Hash)),
    ]);

    /// <summary>The hash of every file of tensors in a folder, by the file's name; or of the one file given.</summary>
    /// <exception cref="SafeLlamaException">The folder is missing, or a file cannot be read.</exception>
    public static IEnumerable<(string File, string Hash)> WeightsIn(string folder) => FileErrors.Reading(
        folder, () => (File.Exists(folder) ? [folder] : Directory.GetFiles(folder, "*.safetensors"))
            .Order(StringComparer.Ordinal).Select(file => (Path.GetFileName(file), ContentHash.OfFile(file))).ToList());
}
