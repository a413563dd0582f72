using System.Text.Json.Nodes;
using SafeLlama.Common;

namespace SafeLlama.Model;

/// <summary>The shape of a LLaMA, as a checkpoint's <c>config.json</c> gives it.</summary>
public sealed record LlamaConfig
{
    /// <summary>V: rows of the embedding table.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>D: features of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>F: features inside the feed-forward layer.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>How many transformer blocks.</summary>
    public required int Layers { get; init; }

    /// <summary>H: query heads.</summary>
    public required int Heads { get; init; }

    /// <summary>K: key-value heads; H / K queries share one.</summary>
    public required int KeyValueHeads { get; init; }

    /// <summary>d: features of one head; H · d need not be D.</summary>
    public required int HeadDim { get; init; }

    /// <summary>ε of every RMSNorm.</summary>
    public double RmsNormEpsilon { get; init; } = 1e-6;

    /// <summary>The longest sequence the checkpoint was made for, in tokens.</summary>
    public int MaxPositions { get; init; } = 2048;

    public RopeConfig Rope { get; init; } = new();

    /// <summary>Whether the head reads the embedding table.</summary>
    public bool TieWordEmbeddings { get; init; }

    /// <summary>Whether the model is a reward model: it rates whole texts and has no head for tokens.</summary>
    public bool ScoresSequences { get; init; }

    /// <summary>Whether q, k, v and o have biases.</summary>
    public bool AttentionBias { get; init; }

    /// <summary>Whether gate, up and down have biases.</summary>
    public bool MlpBias { get; init; }

    /// <summary>Spread of newly drawn weights.</summary>
    public double InitializerRange { get; init; } = 0.02;

    public int? BosTokenId { get; init; }

    /// <summary>Ids that end a sequence; Llama 3 has several.</summary>
    public IReadOnlyList<int> EosTokenIds { get; init; } = [];

    public int? PadTokenId { get; init; }

    /// <summary>How the checkpoint's linears are quantized; null where they are not.</summary>
    public Quantization? Quantization { get; init; }

    /// <summary>The JSON of the file, so that a folder made from this one keeps every key.</summary>
    public JsonObject Source { get; init; } = [];

    /// <summary>The number of weights, embedding and head included.</summary>
    public long ParameterCount => LlamaShapes.Of(this).Sum(w => w.Shape.Count);

    /// <summary>Reads <c>config.json</c> of a checkpoint folder, a config file itself, or a GGUF file's keys.</summary>
    /// <exception cref="SafeLlamaException">
    /// The file is missing, malformed, or describes another architecture.
    /// </exception>
    public static LlamaConfig Load(string path)
    {
        if (GgufHeader.IsGguf(path))
        {
            return GgufConfig.Read(GgufHeader.Read(path));
        }

        if (DeadLink(path) is { } target)
        {
            throw SafeLlamaException.Usage($"{path}: is a link to {target}, where there is nothing.");
        }

        if (File.Exists(path) && Path.GetExtension(path) != ".json")
        {
            throw SafeLlamaException.Usage(
                $"{path}: is a file, expected a model folder or a GGUF file.",
                $"name the folder that holds it, {Path.GetDirectoryName(Path.GetFullPath(path))}");
        }

        var file = Directory.Exists(path) ? Path.Combine(path, "config.json") : path;
        return File.Exists(file)
            ? JsonFile.Read(file, json => LlamaConfigReader.Read(file, json))
            : throw SafeLlamaException.Usage(
                $"{file}: not found. A model folder holds config.json and model.safetensors"
                + (Directory.Exists(path) ? "." : "; nothing is downloaded.") + Below(path));
    }

    /// <summary>What a link names, where following it ends nowhere; otherwise null.</summary>
    private static string? DeadLink(string path)
    {
        if (new FileInfo(path).LinkTarget is not { } target)
        {
            return null;
        }

        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: true) is { } end && Path.Exists(end.FullName)
                ? null : target;
        }
        catch (IOException)
        {
            return target;      // a ring of links
        }
    }

    /// <summary>The snapshot in a hub cache, where the path names the root of the cache.</summary>
    private static string Below(string path) =>
        Path.Combine(path, "snapshots") is var snapshots && Directory.Exists(snapshots)
        && Directory.EnumerateDirectories(snapshots).Order(StringComparer.Ordinal)
            .FirstOrDefault(folder => File.Exists(Path.Combine(folder, "config.json"))) is { } found
            ? $" Name {found}."
            : "";
}
