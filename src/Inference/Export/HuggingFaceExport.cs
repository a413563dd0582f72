using System.Text.Json;
using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Inference;

/// <summary>A folder that Hugging Face's libraries load: weights, tokenizer, chat template, card.</summary>
public static class HuggingFaceExport
{
    private static readonly string[] Written =
    [
        "model.safetensors", "README.md", ChatTemplateFile.FileName, TemplateRecord.FileName, "generation_config.json",
    ];

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n" };

    /// <summary>Fills <paramref name="folder"/>, which is there and empty.</summary>
    /// <exception cref="SafeLlamaException">The model is a GGUF file, or a file is missing or damaged.</exception>
    public static void Write(ExportRequest request, string folder)
    {
        if (GgufHeader.IsGguf(request.Model))
        {
            throw SafeLlamaException.Usage(
                $"{request.Model}: is a GGUF file, which has no tokenizer.json. Export the folder it was made from.");
        }

        var config = LlamaConfig.Load(request.Model);
        var tokenizer = TokenizerLoader.Load(request.Model);
        var changed = WriteWeights(request, config, folder);
        CopyRest(request.Model, folder, merged: request.Adapter is not null);
        TemplateRecord.Save(folder, request.Template!);
        OutputFile.WriteText(
            Path.Combine(folder, "generation_config.json"), Generation(request.Template!, tokenizer, config));
        OutputFile.WriteText(Path.Combine(folder, "README.md"), ModelCard.Write(request, config, changed));
    }

    /// <summary>The merged weights, or the base's files as they are.</summary>
    /// <returns>How many weights the adapter changed.</returns>
    private static int WriteWeights(ExportRequest request, LlamaConfig config, string folder)
    {
        if (request.Adapter is null)
        {
            return 0;
        }

        using var backend = new ReferenceBackend();
        using var weights = LlamaWeights.Load(backend, config, request.Model);
        using var adapter = PeftFolder.Load(backend, config, request.Adapter);
        return AdapterMerge.Write(weights, adapter, Path.Combine(folder, Written[0]));
    }

    /// <summary>Everything else that the base's folder holds, but for weights in other forms.</summary>
    private static void CopyRest(string source, string folder, bool merged)
    {
        foreach (var file in Directory.GetFiles(source).Order(StringComparer.Ordinal))
        {
            var name = Path.GetFileName(file);
            var isWeights = name.EndsWith(".safetensors", StringComparison.Ordinal)
                || name.EndsWith(".safetensors.index.json", StringComparison.Ordinal);
            var isOther = Path.GetExtension(name) is ".bin" or ".pt" or ".pth" or ".gguf";
            if (isOther || (isWeights ? merged : Written.Contains(name)))
            {
                continue;
            }

            OutputFile.Write(Path.Combine(folder, name), stream =>
            {
                using var from = File.OpenRead(file);
                from.CopyTo(stream);
            });
        }
    }

    /// <summary>Greedy, as the model was evaluated, with every token that ends an answer.</summary>
    private static string Generation(PromptTemplate template, ITokenizer tokenizer, LlamaConfig config)
    {
        var ids = EndTokens.Of(tokenizer, template, config.EosTokenIds).Select(id => (JsonNode)id);
        var json = new JsonObject { ["do_sample"] = false, ["eos_token_id"] = new JsonArray([.. ids]) };
        if ((tokenizer.BosId ?? config.BosTokenId) is { } bos)
        {
            json["bos_token_id"] = bos;
        }

        if (config.PadTokenId is { } pad)
        {
            json["pad_token_id"] = pad;
        }

        return json.ToJsonString(Indented) + "\n";
    }
}
