using System.Text.Json;
using System.Text.Json.Nodes;
using SafeLlama.Common;

namespace SafeLlama.Model;

/// <summary>
/// The fields of <c>adapter_config.json</c>. PEFT adds some with every version; one that is not known here is refused
/// where it is set, because it may change what the adapter computes.
/// </summary>
internal static class PeftFields
{
    /// <summary>Fields that the reader computes with, or checks one by one.</summary>
    private static readonly string[] Read =
    [
        "peft_type", "r", "lora_alpha", "lora_dropout", "target_modules", "layers_to_transform", "layers_pattern",
        "rank_pattern", "alpha_pattern", "use_rslora", "use_dora", "bias", "lora_bias", "fan_in_fan_out",
        "modules_to_save", "exclude_modules", "layer_replication", "alora_invocation_tokens", "init_lora_weights",
    ];

    /// <summary>Fields that say where the adapter came from, or how its training began.</summary>
    private static readonly string[] History =
    [
        "task_type", "auto_mapping", "peft_version", "base_model_name_or_path", "revision", "inference_mode",
        "megatron_core", "loftq_config", "eva_config", "corda_config", "lora_ga_config", "qalora_group_size",
        "runtime_config", "ensure_weight_tying", "lora_dtype", "lorap_lr_ratio", "lorap_emb_lr",
    ];

    /// <exception cref="SafeLlamaException">A field that is not known is set.</exception>
    public static void RefuseUnknown(string path, JsonObject json)
    {
        if (json.FirstOrDefault(field => !Read.Contains(field.Key) && !History.Contains(field.Key)
            && !IsOff(field.Value)) is { Key: { } name, Value: { } value })
        {
            throw SafeLlamaException.InvalidData(
                $"{path}: \"{Shown(name)}\" is {Shown(value.ToJsonString())}, which is not supported: it may change "
                + "what the adapter computes. Remove the field if it does not.");
        }

        if (json["layers_pattern"] is { } pattern && !IsOff(pattern)
            && (pattern is JsonArray { Count: 1 } list ? list[0] : pattern)?.ToString() != "layers")
        {
            throw SafeLlamaException.InvalidData(
                $"{path}: \"layers_pattern\" is {Shown(pattern.ToJsonString())}, expected \"layers\".");
        }
    }

    private static bool IsOff(JsonNode? node) => node switch
    {
        null or JsonArray { Count: 0 } or JsonObject { Count: 0 } => true,
        JsonValue value => value.GetValueKind() == JsonValueKind.False
            || (value.TryGetValue(out string? text) && text.Length == 0),
        _ => false,
    };

    private static string Shown(string text) => SafeText.ForTerminal(text.Length > 60 ? text[..60] + "…" : text);
}
