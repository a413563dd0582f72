using System.Text.Json;
using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Cli.Training;

/// <summary>A model in Hugging Face layout: config, weights, and the tokenizer's files beside them.</summary>
internal static class ModelFolder
{
    private static readonly string[] TokenizerFiles =
    [
        "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
        "generation_config.json",
    ];

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n" };

    public static void Write(string folder, LlamaWeights weights, DType type, string tokenizerFolder)
    {
        weights.Save(Path.Combine(folder, "model.safetensors"), type);
        CopyCompanions(tokenizerFolder, folder);
        var config = (JsonObject)weights.Config.Source.DeepClone();
        config["torch_dtype"] = type == DType.BFloat16 ? "bfloat16" : "float32";
        OutputFile.WriteText(Path.Combine(folder, "config.json"), config.ToJsonString(Indented) + "\n");
    }

    /// <summary>Copies the tokenizer's files and the generation settings, those that are there.</summary>
    public static void CopyCompanions(string source, string folder)
    {
        foreach (var name in TokenizerFiles.Where(n => File.Exists(Path.Combine(source, n))))
        {
            Copy(source, folder, name);
        }
    }

    public static void Copy(string source, string folder, string name)
    {
        var bytes = File.ReadAllBytes(Path.Combine(source, name));
        OutputFile.Write(Path.Combine(folder, name), stream => stream.Write(bytes));
    }
}
