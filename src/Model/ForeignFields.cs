using System.Text.Json;
using System.Text.Json.Nodes;

namespace SafeLlama.Model;

/// <summary>
/// Fields of <c>config.json</c> that change the computation in relatives of LLaMA. A checkpoint that was renamed to
/// LLaMA keeps them, so they are refused unless they have no effect.
/// </summary>
internal static class ForeignFields
{
    private static readonly string[] Names =
    [
        "partial_rotary_factor", "no_rope_layers", "layer_types", "attn_logit_softcapping", "final_logit_softcapping",
        "logit_scale", "logits_scaling", "embedding_multiplier", "residual_multiplier", "attention_multiplier",
        "use_qk_norm", "qk_layernorm", "num_experts", "num_local_experts", "parallel_attn", "use_parallel_residual",
    ];

    public static void Refuse(ConfigFields read)
    {
        if (Names.FirstOrDefault(name => !IsNeutral(read.Json[name])) is { } field)
        {
            throw read.Error(
                field, $"is {read.Json[field]!.ToJsonString()}, which LLaMA does not compute; expected it absent");
        }
    }

    /// <summary>Whether a value leaves the computation as it is in LLaMA: false, none, one, full attention.</summary>
    private static bool IsNeutral(JsonNode? node) => node switch
    {
        null => true,
        JsonArray layers => layers.All(layer => layer?.ToString() is "1" or "full_attention"),
        JsonValue value => value.GetValueKind() switch
        {
            JsonValueKind.False => true,
            JsonValueKind.Number => value.TryGetValue(out double number) && number is 0 or 1,
            JsonValueKind.String => value.GetValue<string>() == "full_attention",
            _ => false,
        },
        _ => false,
    };
}
