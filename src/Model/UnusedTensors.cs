using System.Text.RegularExpressions;
using SafeLlama.Common;

namespace SafeLlama.Model;

/// <summary>The tensors of a checkpoint that its model does not use.</summary>
public static partial class UnusedTensors
{
    private const int Shown = 3;

    /// <summary>A line for the user; null where every tensor is used.</summary>
    /// <param name="from">The model's folder or file.</param>
    /// <param name="where">What does not use them: <c>this model</c>.</param>
    public static string? Note(string from, IReadOnlyList<string> names, string where = "this model") =>
        names.Count == 0 ? null
            : $"{from}: {(names.Count == 1 ? "1 tensor has" : $"{names.Count} tensors have")} no use in {where}: "
                + $"{string.Join(", ", names.Take(Shown))}{(names.Count > Shown ? "…" : ".")}";

    /// <summary>The names of a LLaMA checkpoint's other tensors.</summary>
    /// <exception cref="SafeLlamaException">
    /// One belongs to the computation of this model, such as a bias that config.json does not mention: without it every
    /// answer would be wrong.
    /// </exception>
    internal static List<string> Of(CheckpointFiles files, LlamaConfig config)
    {
        var known = LlamaShapes.Of(config).Select(s => s.Name).ToHashSet();
        if (config.ScoresSequences)
        {
            known.Add(RewardHead.WeightName);
        }

        bool IsKnown(string name) =>
            known.Contains(name) || (config.Quantization is not null && BitsAndBytes.IsPart(name, known));

        var others = files.Tensors.Keys.Where(name => !IsKnown(name)).Order(StringComparer.Ordinal).ToList();
        if (others.FirstOrDefault(name => IsOfBlock(name, config)) is { } part)
        {
            throw SafeLlamaException.InvalidData(
                $"{files.Folder}: tensor '{part}' is part of a layer, and config.json describes a LLaMA without it. "
                + (part.EndsWith(".bias", StringComparison.Ordinal)
                    ? "Set \"attention_bias\" or \"mlp_bias\" in config.json where all these linears have biases."
                    : "It is the checkpoint of another architecture, or of a quantized model."));
        }

        if (config.TieWordEmbeddings && !config.ScoresSequences && others.Contains(LlamaShapes.HeadName)
            && !AreEqual(files, LlamaShapes.HeadName, LlamaShapes.EmbeddingName))
        {
            throw SafeLlamaException.InvalidData(
                $"{files.Folder}: config.json says \"tie_word_embeddings\": true, but '{LlamaShapes.HeadName}' is not "
                + $"equal to '{LlamaShapes.EmbeddingName}'. Set it to false to use the head, or remove the tensor.");
        }

        return others;
    }

    /// <summary>Whether a tensor belongs to a computed layer; rotary angles are always computed anew.</summary>
    private static bool IsOfBlock(string name, LlamaConfig config) =>
        LayerName().Match(name) is { Success: true } match
        && int.TryParse(match.Groups[1].ValueSpan, out var layer) && layer < config.Layers
        && !name.EndsWith("rotary_emb.inv_freq", StringComparison.Ordinal);

    private static bool AreEqual(CheckpointFiles files, string one, string other)
    {
        var (a, b) = (files.Tensors[one], files.Tensors.GetValueOrDefault(other));
        return b.File is not null && a.Entry.Type == b.Entry.Type && a.Entry.Shape == b.Entry.Shape
            && a.File.HashOf(a.Entry).AsSpan().SequenceEqual(b.File.HashOf(b.Entry));
    }

    [GeneratedRegex(@"^model\.layers\.(\d+)\.", RegexOptions.CultureInvariant)]
    private static partial Regex LayerName();
}
