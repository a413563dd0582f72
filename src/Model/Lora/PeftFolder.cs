using System.Text.Json;
using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>
/// An adapter on disk, as PEFT writes and reads it: <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.
/// </summary>
public static class PeftFolder
{
    public const string ConfigName = "adapter_config.json";
    public const string WeightsName = "adapter_model.safetensors";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>The key of a module's tensor in the file.</summary>
    /// <param name="part">Such as <c>lora_A.weight</c>.</param>
    public static string Key(string module, string part) => $"base_model.model.{module}.{part}";

    /// <summary>
    /// The last part of a path; of <c>RUN/adapter</c>, the run's. Names do not tell where things lie.
    /// </summary>
    public static string NameOf(string path)
    {
        var whole = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        return Path.GetFileName(whole) is var name && name == "adapter" && Path.GetDirectoryName(whole) is { } run
            ? Path.GetFileName(run) : name;
    }

    /// <summary>Loads an adapter for a model of this shape.</summary>
    /// <exception cref="SafeLlamaException">
    /// It is not a LoRA adapter, uses what is not supported, or belongs to another model.
    /// </exception>
    public static LoraAdapter Load(IBackend backend, LlamaConfig model, string folder, bool trainable = false) =>
        Load(backend, LoraSite.Of(model), folder, trainable);

    /// <inheritdoc cref="Load(IBackend, LlamaConfig, string, bool)"/>
    public static LoraAdapter Load(
        IBackend backend, IReadOnlyList<LoraSite> sites, string folder, bool trainable = false)
    {
        var config = ReadConfig(folder);
        RefusePickle(folder);
        using var file = SafetensorsFile.Open(Path.Combine(folder, WeightsName));
        var adapter = LoraAdapter.Empty(backend, sites, config, trainable);
        try
        {
            var expected = adapter.Pairs.SelectMany(p => p.Stored).ToDictionary(p => p.Name, p => p.Value);
            if (file.Entries.Keys.FirstOrDefault(name => !expected.ContainsKey(name)) is { } stranger)
            {
                throw SafeLlamaException.InvalidData(
                    $"{file.Path}: tensor '{stranger}' has no place in this model with targets "
                    + $"{string.Join(",", config.Targets)}. Was the adapter made for another model?");
            }

            foreach (var (name, value) in expected)
            {
                Fill(name, value, file);
            }

            return adapter;
        }
        catch
        {
            adapter.Dispose();
            throw;
        }
    }

    /// <summary>Writes the adapter; the config last, so that a folder with a config is a whole one.</summary>
    /// <param name="baseModel">What <c>base_model_name_or_path</c> says.</param>
    /// <param name="taskType">What <c>task_type</c> says: SEQ_CLS for a classifier.</param>
    public static void Save(
        LoraAdapter adapter, string folder, string baseModel, string taskType = "CAUSAL_LM")
    {
        var config = adapter.Pairs.First().SavedAs(adapter.Config);
        Directory.CreateDirectory(folder);
        SafetensorsWriter.Write(
            Path.Combine(folder, WeightsName),
            adapter.Pairs.SelectMany(p => p.Stored).Select(p => SafetensorsItem.Of(p.Name, p.Value, DType.Float32)),
            new Dictionary<string, string> { ["format"] = "pt" });
        OutputFile.WriteText(
            Path.Combine(folder, ConfigName),
            WriteConfig(config, baseModel, taskType).ToJsonString(Indented) + "\n");
    }

    private static void RefusePickle(string folder)
    {
        const string Pickle = "adapter_model.bin";
        if (!File.Exists(Path.Combine(folder, WeightsName)) && File.Exists(Path.Combine(folder, Pickle)))
        {
            throw SafeLlamaException.InvalidData(
                $"{Path.Combine(folder, Pickle)}: is a Python pickle, which can run any code when it is read, and is "
                + $"not read here; {WeightsName} is expected. Load it once in PEFT and save it with "
                + "safe_serialization=True.");
        }
    }

    private static void Fill(string name, Tensor value, SafetensorsFile file)
    {
        if (!file.Entries.TryGetValue(name, out var entry))
        {
            throw SafeLlamaException.InvalidData(
                $"{file.Path}: tensor '{name}' is missing; {ConfigName} promises it.");
        }

        if (entry.Shape != value.Shape)
        {
            throw SafeLlamaException.InvalidData(
                $"{file.Path}: tensor '{entry.Name}' has shape {entry.Shape}, expected {value.Shape} for "
                + "this model. Was the adapter made for another one?");
        }

        var type = file.WeightType(entry);
        if (file.FirstNonFinite(entry) is { } place)
        {
            throw SafeLlamaException.InvalidData(
                $"{file.Path}: tensor '{entry.Name}' holds a value that is not finite at element {place}.");
        }

        var values = new double[entry.Shape.Count];
        TensorConvert.ToDoubles(file.Bytes(entry), type, values);
        value.Write(values);
    }

    /// <summary>Reads <c>adapter_config.json</c> alone.</summary>
    /// <exception cref="SafeLlamaException">It is not a LoRA adapter's, or uses what is not supported.</exception>
    public static LoraConfig ReadConfig(string folder)
    {
        var path = Path.Combine(folder, ConfigName);
        if (!File.Exists(path))
        {
            throw SafeLlamaException.Usage(
                $"{path}: not found. An adapter folder holds {ConfigName} and {WeightsName}."
                + (File.Exists(Path.Combine(folder, "adapter", ConfigName))
                    ? $" Name {Path.Combine(folder, "adapter")}." : ""));
        }

        try
        {
            var content = FileErrors.Reading(path, () => File.ReadAllBytes(path));
            GitPointer.Refuse(path, content);
            var json = JsonNode.Parse(content) as JsonObject
                ?? throw SafeLlamaException.InvalidData($"{path}: is not a JSON object.");
            Refuse(path, json);
            var targets = json["target_modules"];
            return new LoraConfig
            {
                Rank = json["r"]!.GetValue<int>(),
                Alpha = json["lora_alpha"]?.GetValue<double>() ?? 8,
                Dropout = json["lora_dropout"]?.GetValue<double>() ?? 0,
                Targets = targets is JsonArray names
                    ? [.. names.Select(n => n!.GetValue<string>()).Order(StringComparer.Ordinal)]
                    : [],
                TargetPattern = targets is JsonValue pattern ? pattern.GetValue<string>() : null,
                Layers = json["layers_to_transform"] switch
                {
                    JsonArray layers => [.. layers.Select(l => l!.GetValue<int>())],
                    JsonValue single => [single.GetValue<int>()],
                    _ => [],
                },
                RankPattern = Pattern(json["rank_pattern"], v => v.GetValue<int>()),
                AlphaPattern = Pattern(json["alpha_pattern"], v => v.GetValue<double>()),
                RankStabilized = json["use_rslora"]?.GetValue<bool>() ?? false,
                Variant = json[DoraLora.Flag]?.GetValue<bool>() == true ? LoraVariant.Dora : LoraVariant.Lora,
            };
        }
        catch (JsonException e)
        {
            throw SafeLlamaException.InvalidData(
                $"{path}: is no JSON{(e.LineNumber is { } line ? $" from line {line + 1} on" : "")}. Copy the adapter "
                + "again.", e);
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or NullReferenceException
            or ArgumentException or OverflowException)
        {
            throw SafeLlamaException.InvalidData(
                $"{path}: is not a LoRA adapter's configuration: a field is of the wrong kind or stands twice. Copy "
                + "the adapter again.", e);
        }
    }

    /// <summary>Features of PEFT that this engine does not support must be refused, not ignored.</summary>
    private static void Refuse(string path, JsonObject json)
    {
        void Require(string name, bool fine, string expected)
        {
            if (!fine)
            {
                throw SafeLlamaException.InvalidData(
                    $"{path}: \"{name}\" is {json[name]?.ToJsonString() ?? "missing"}, expected {expected}.");
            }
        }

        bool Off(string name) => json[name] is null or JsonArray { Count: 0 }
            || (json[name] is JsonValue v && v.TryGetValue(out bool on) && !on);
        PeftFields.RefuseUnknown(path, json);
        Require("peft_type", json["peft_type"]?.ToString() == "LORA", "\"LORA\"");
        Require("r", json["r"] is JsonValue rank && rank.TryGetValue(out int r) && r > 0, "a positive whole number");
        Require(DoraLora.Flag, json[DoraLora.Flag] is null
            || (json[DoraLora.Flag] is JsonValue dora && dora.TryGetValue(out bool _)), "true or false");
        Require("bias", json["bias"] is null
            || json["bias"]!.ToString() == "none", "\"none\": trained biases are not supported");
        Require("lora_bias", Off("lora_bias"), "false");
        Require("fan_in_fan_out", Off("fan_in_fan_out"), "false: LLaMA's weights are [out, in]");
        Require("modules_to_save", Off("modules_to_save"), "null: whole modules beside the adapter are not supported");
        Require("exclude_modules", Off("exclude_modules"), "null");
        Require("layer_replication", Off("layer_replication"), "null");
        Require("alora_invocation_tokens", Off("alora_invocation_tokens"),
            "null: adapters that wait for a phrase are not supported");
        Require("init_lora_weights", LeavesBase(json["init_lora_weights"]),
            "true, false or one of gaussian, eva, orthogonal, which leave the base model's weights as they are; "
            + "convert the adapter to plain LoRA");
        Require("lora_alpha", json["lora_alpha"] is null || Number(json["lora_alpha"]) is not null, "a number");
        Require("use_rslora", json["use_rslora"] is null
            || (json["use_rslora"] is JsonValue stabilized && stabilized.TryGetValue(out bool _)), "true or false");
        Require("target_modules", json["target_modules"] is JsonArray { Count: > 0 } names
            ? names.All(n => n is JsonValue name && name.TryGetValue(out string? _))
            : json["target_modules"] is JsonValue all && all.TryGetValue(out string? _),
            "a list of modules, or an expression");
        Require("layers_to_transform", json["layers_to_transform"] is null
            || Whole(json["layers_to_transform"]) || (json["layers_to_transform"] is JsonArray layers
                && layers.All(Whole)), "whole numbers");
        Require("alpha_pattern", json["alpha_pattern"] is null
            || (json["alpha_pattern"] is JsonObject alphas && alphas.All(a => Number(a.Value) is not null)),
            "numbers by module");
        Require("lora_dropout", json["lora_dropout"] is null
            || (Number(json["lora_dropout"]) is >= 0 and < 1), "a share in [0, 1)");
        Require("rank_pattern", json["rank_pattern"] is null || (json["rank_pattern"] is JsonObject ranks
            && ranks.All(r => Whole(r.Value) && Number(r.Value) > 0)), "positive ranks by module");
    }

    private static bool Whole(JsonNode? node) => node is JsonValue value && value.TryGetValue(out int _);

    private static double? Number(JsonNode? node) =>
        node is JsonValue value && value.TryGetValue(out double number) ? number : null;

    /// <summary>
    /// Whether the base stays as it was when A and B were drawn: PiSSA, OLoRA, CorDA, LoftQ and LoRA-GA rewrite it.
    /// </summary>
    private static bool LeavesBase(JsonNode? initialization) => initialization switch
    {
        null => true,
        JsonValue value when value.TryGetValue(out bool _) => true,
        JsonValue value when value.TryGetValue(out string? name) =>
            name.ToLowerInvariant() is "gaussian" or "eva" or "orthogonal",
        _ => false,
    };

    private static Dictionary<string, T> Pattern<T>(JsonNode? node, Func<JsonNode, T> value) =>
        node is JsonObject patterns ? patterns.ToDictionary(p => p.Key, p => value(p.Value!)) : [];

    private static JsonObject WriteConfig(LoraConfig config, string baseModel, string taskType) => new()
    {
        ["alpha_pattern"] = new JsonObject(
            config.AlphaPattern.Select(p => KeyValuePair.Create(p.Key, (JsonNode?)p.Value))),
        ["base_model_name_or_path"] = baseModel,
        ["bias"] = "none",
        ["fan_in_fan_out"] = false,
        ["inference_mode"] = true,
        ["init_lora_weights"] = true,
        ["layers_to_transform"] = config.Layers.Count == 0
            ? null
            : new JsonArray([.. config.Layers.Select(l => (JsonNode)l)]),
        ["lora_alpha"] = config.Alpha == Math.Truncate(config.Alpha) ? (JsonNode)(long)config.Alpha : config.Alpha,
        ["lora_dropout"] = config.Dropout,
        ["peft_type"] = "LORA",
        ["r"] = config.Rank,
        ["rank_pattern"] = new JsonObject(
            config.RankPattern.Select(p => KeyValuePair.Create(p.Key, (JsonNode?)p.Value))),
        ["target_modules"] = config.TargetPattern is { } pattern
            ? pattern : new JsonArray([.. config.Targets.Select(t => (JsonNode)t)]),
        ["task_type"] = taskType,
        [DoraLora.Flag] = config.Variant == LoraVariant.Dora,
        ["use_rslora"] = config.RankStabilized,
    };
}
