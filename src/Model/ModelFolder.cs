using System.Text.Json;
using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>A model in Hugging Face layout: config, weights, and the files beside them.</summary>
public static class ModelFolder
{
    /// <summary>The file of the model's shape.</summary>
    public const string ConfigName = "config.json";

    private const string WeightsName = "model.safetensors";

    private static readonly string[] TokenizerFiles =
    [
        "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
        "vocab.json", "merges.txt", "chat_template.jinja", "chat_template.json", "generation_config.json",
    ];

    /// <summary>Endings of files that hold weights, and of their indexes.</summary>
    private static readonly string[] WeightEndings =
    [
        ".safetensors", ".safetensors.index.json", ".bin", ".bin.index.json", ".pt", ".pth", ".ckpt", ".gguf", ".ggml",
        ".onnx", ".onnx_data", ".h5", ".msgpack", ".tflite",
    ];

    internal static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n" };

    /// <summary>Writes a trained model.</summary>
    /// <param name="type">How its weights are stored.</param>
    /// <param name="baseFolder">The base model, whose files are kept; null for a new model.</param>
    /// <param name="tokenizerFolder">Where its tokenizer lies.</param>
    public static void Write(
        string folder, LlamaWeights weights, DType type, string? baseFolder, string tokenizerFolder)
    {
        weights.Save(Path.Combine(folder, WeightsName), type);
        if (baseFolder is not null)
        {
            CopyBeside(baseFolder, folder);
        }

        if (baseFolder is null || FileFacts.RealPath(baseFolder) != FileFacts.RealPath(tokenizerFolder))
        {
            foreach (var name in TokenizerFiles.Where(n => File.Exists(Path.Combine(tokenizerFolder, n))))
            {
                Copy(Path.Combine(tokenizerFolder, name), Path.Combine(folder, name));
            }
        }

        var config = (JsonObject)weights.Config.Source.DeepClone();
        SetType(config, type);
        OutputFile.WriteText(Path.Combine(folder, ConfigName), config.ToJsonString(Indented) + "\n");
    }

    /// <summary>
    /// Writes base and adapter as one model, with everything in the base's folder: tensors that the engine does not
    /// use, files beside the weights, and the head of a reward model beside the adapter.
    /// </summary>
    /// <param name="form">How the merged weights are stored.</param>
    /// <exception cref="SafeLlamaException">The merge changes nothing, or a file cannot be written.</exception>
    public static MergeReport Merge(
        string folder, string baseFolder, LlamaWeights weights, LoraAdapter adapter, string adapterFolder,
        MergeForm form = default)
    {
        using var checkpoint = CheckpointFiles.Open(baseFolder);
        var type = form.TypeFor(weights, baseFolder);
        var requantized = new Requantized();
        var merged = LlamaShapes.Of(weights.Config).Select(shape => shape.Name).ToHashSet();
        var changed = AdapterMerge.Write(
            weights, adapter, Path.Combine(folder, WeightsName), type, requantized,
            checkpoint.Tensors.Values.Where(t => !merged.Contains(t.Entry.Name)
                    && !(weights.Config.Quantization is not null && BitsAndBytes.IsPart(t.Entry.Name, merged)))
                .Select(t => SafetensorsItem.Copy(t.File, t.Entry)));
        var leftOut = CopyBeside(baseFolder, folder);
        if (type is { } changedTo)
        {
            var config = (JsonObject)weights.Config.Source.DeepClone();
            config.Remove(Quantization.Key);
            SetType(config, changedTo);
            OutputFile.WriteText(Path.Combine(folder, ConfigName), config.ToJsonString(Indented) + "\n");
        }
        else
        {
            KeepTypesAgreed(Path.Combine(baseFolder, ConfigName), folder, weights);
        }

        foreach (var name in RewardModel.Files.Where(n => File.Exists(Path.Combine(adapterFolder, n))))
        {
            Copy(Path.Combine(adapterFolder, name), Path.Combine(folder, name));
        }

        var read = checkpoint.Files.Select(f => Path.GetFileName(f.Path)).ToHashSet();
        return new(
            changed,
            [.. leftOut.Where(name => !read.Contains(name)
                && !name.EndsWith(".safetensors.index.json", StringComparison.Ordinal))],
            requantized.Ratios);
    }

    /// <summary>Writes a model with its linears quantized, and the files beside its weights.</summary>
    /// <returns>
    /// How many linears became quantized, and what was left out: weights in other forms, and folders.
    /// </returns>
    public static (int Count, IReadOnlyList<string> LeftOut) Quantize(string folder, string source, LoadForm form)
    {
        var config = LlamaConfig.Load(source);
        var count = QuantizedCheckpoint.Write(Path.Combine(folder, WeightsName), source, config, form);
        using var checkpoint = CheckpointFiles.Open(source);
        var read = checkpoint.Files.Select(f => Path.GetFileName(f.Path))
            .Append(WeightsName + ".index.json").ToHashSet();
        var leftOut = CopyBeside(source, folder).Where(name => !read.Contains(name)).ToList();
        var json = (JsonObject)config.Source.DeepClone();
        json[Quantization.Key] = Quantization.Write(form);
        OutputFile.WriteText(Path.Combine(folder, ConfigName), json.ToJsonString(Indented) + "\n");
        return (count, leftOut);
    }

    /// <summary>Copies a model as it is: its checkpoint, <c>config.json</c>, and the files beside them.</summary>
    /// <returns>The names of files of weights in other forms, and of folders: they are left out.</returns>
    public static IReadOnlyList<string> CopyWhole(string source, string folder)
    {
        using var checkpoint = CheckpointFiles.Open(source);
        List<string> copied = [.. checkpoint.Files.Select(f => Path.GetFileName(f.Path)), WeightsName + ".index.json"];
        foreach (var name in copied.Where(n => File.Exists(Path.Combine(source, n))).Append(ConfigName))
        {
            Copy(Path.Combine(source, name), Path.Combine(folder, name));
        }

        return [.. CopyBeside(source, folder).Except(copied)];
    }

    /// <summary>Copies a file, or the target of a link.</summary>
    public static void Copy(string source, string target) => FileErrors.Reading(source, () =>
    {
        using var bytes = File.OpenRead(source);
        OutputFile.Write(target, bytes.CopyTo);
        return true;
    });

    /// <summary>Copies the files of a folder but for weights, <c>config.json</c> and what is hidden.</summary>
    /// <returns>The names of the files of weights, and of folders.</returns>
    internal static List<string> CopyBeside(string source, string folder)
    {
        var left = new List<string>();
        foreach (var path in Directory.EnumerateFileSystemEntries(source).Order(StringComparer.Ordinal))
        {
            var name = Path.GetFileName(path);
            if (name == ConfigName || name.StartsWith('.'))
            {
                continue;
            }

            if (Directory.Exists(path) || (name != RewardModel.HeadFile && WeightEndings.Any(
                ending => name.EndsWith(ending, StringComparison.OrdinalIgnoreCase))))
            {
                left.Add(name);
                continue;
            }

            Copy(path, Path.Combine(folder, name));
        }

        return left;
    }

    /// <summary>Copies <c>config.json</c>; every number type that it names becomes the stored type.</summary>
    private static void KeepTypesAgreed(string source, string folder, LlamaWeights weights)
    {
        var target = Path.Combine(folder, ConfigName);
        var config = weights.Config.Source;
        if (config["torch_dtype"] is not { } older || config["dtype"] is not { } newer
            || older.ToJsonString() == newer.ToJsonString())
        {
            Copy(source, target);
            return;
        }

        var copy = (JsonObject)config.DeepClone();
        SetType(copy, weights[LlamaShapes.EmbeddingName].Value.Type);
        OutputFile.WriteText(target, copy.ToJsonString(Indented) + "\n");
    }

    /// <summary>
    /// Names the stored type under every key that a version of transformers reads and the config has.
    /// </summary>
    private static void SetType(JsonObject config, DType type)
    {
        var name = type switch
        {
            DType.BFloat16 => "bfloat16",
            DType.Float16 => "float16",
            DType.Float64 => "float64",
            _ => "float32",
        };
        if (config.ContainsKey("dtype"))
        {
            config["dtype"] = name;
        }

        if (!config.ContainsKey("dtype") || config.ContainsKey("torch_dtype"))
        {
            config["torch_dtype"] = name;
        }
    }
}
