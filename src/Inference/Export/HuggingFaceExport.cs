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
    private const string BaseCardName = "README.base.md";
    private const string AdapterCardName = "README.adapter.md";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n" };

    /// <summary>Fills <paramref name="folder"/>, which is there and empty.</summary>
    /// <returns>Remarks for the user, one line each: parts of the base's folder that were left out.</returns>
    /// <exception cref="SafeLlamaException">The model is a GGUF file, or a file is missing or damaged.</exception>
    public static IReadOnlyList<string> Write(ExportRequest request, string folder)
    {
        if (GgufHeader.IsGguf(request.Model))
        {
            throw SafeLlamaException.Usage(
                $"{request.Model}: is a GGUF file, which has no tokenizer.json. Export the folder it was made from.");
        }

        var config = LlamaConfig.Load(request.Model);
        var tokenizer = TokenizerLoader.Load(request.Model);
        var (changed, leftOut) = WriteModel(request, config, folder);
        TemplateRecord.Save(folder, request.Template!);
        OutputFile.WriteText(
            Path.Combine(folder, "generation_config.json"), Generation(request, tokenizer, config));
        var card = Path.Combine(folder, ModelCard.FileName);
        if (File.Exists(card))
        {
            File.Move(card, Path.Combine(folder, BaseCardName));
        }

        if (request.Adapter is { } adapter && File.Exists(Path.Combine(adapter, ModelCard.FileName)))
        {
            File.Copy(Path.Combine(adapter, ModelCard.FileName), Path.Combine(folder, AdapterCardName));
        }

        OutputFile.WriteText(card, Card(request, config, changed, folder));
        return leftOut.Count == 0 ? [] : [$"{request.Model}: left out: {string.Join(", ", leftOut)}."];
    }

    private static (int Changed, IReadOnlyList<string> LeftOut) WriteModel(
        ExportRequest request, LlamaConfig config, string folder)
    {
        if (request.Adapter is null)
        {
            return (0, ModelFolder.CopyWhole(request.Model, folder));
        }

        using var backend = new ReferenceBackend();
        using var weights = LlamaWeights.Load(backend, config, request.Model);
        using var adapter = PeftFolder.Load(backend, config, request.Adapter);
        var merged = ModelFolder.Merge(folder, request.Model, weights, adapter, request.Adapter);
        return (merged.Changed, merged.LeftOut);
    }

    private static string Card(ExportRequest request, LlamaConfig config, int changed, string folder)
    {
        var name = PeftFolder.NameOf(request.Model);
        var made = request.Adapter is { } adapter
            ? $"The base {SafeText.ForMarkdown(name)} with the LoRA adapter "
                + $"{SafeText.ForMarkdown(PeftFolder.NameOf(adapter))} "
                + $"folded in: {changed} weights changed."
            : $"{SafeText.ForMarkdown(name)}, as it was.";
        var others = new[] { (BaseCardName, "base"), (AdapterCardName, "adapter") }
            .Where(card => File.Exists(Path.Combine(folder, card.Item1)))
            .Select(card => $"- the card of the {card.Item2}: [{card.Item1}]({card.Item1})\n");
        return new ModelCard(name, $"""
            {made}

            - LLaMA, {config.ParameterCount:N0} weights, {config.Layers} layers, {config.HiddenSize} wide, context
              {config.MaxPositions} tokens
            - `generation_config.json` decodes greedily
            {string.Concat(others)}
            """)
        {
            Sections =
            [
                .. request.Results.Select((results, i) =>
                    (request.Results.Count > 1 ? $"Results {i + 1}" : "Results", results)),
                ModelCard.Prompts(request.Template!.Name),
            ],
            Missing = "Add what the model is meant for, and what it must not be used for"
                + (request.Results.Count > 0 ? "." : ", and what it was evaluated on."),
        }.ToString();
    }

    /// <summary>Greedy, as the model was evaluated, with every token that ends an answer.</summary>
    private static string Generation(ExportRequest request, ITokenizer tokenizer, LlamaConfig config)
    {
        var named = config.EosTokenIds.Concat(GenerationDefaults.Read(request.Model).Eos);
        var ids = EndTokens.Of(tokenizer, request.Template!, named).Select(id => (JsonNode)id);
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
