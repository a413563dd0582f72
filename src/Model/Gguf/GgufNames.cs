namespace SafeLlama.Model;

/// <summary>The names of a LLaMA's tensors in GGUF, beside those of a checkpoint.</summary>
public static class GgufNames
{
    public const string Embedding = "token_embd.weight";
    public const string FinalNorm = "output_norm.weight";
    public const string Head = "output.weight";

    /// <summary>F32 [d/2], what each rotary frequency is divided by.</summary>
    public const string RopeDivisors = "rope_freqs.weight";

    private static readonly Dictionary<string, string> Parts = new()
    {
        ["input_layernorm"] = "attn_norm",
        ["self_attn.q_proj"] = "attn_q",
        ["self_attn.k_proj"] = "attn_k",
        ["self_attn.v_proj"] = "attn_v",
        ["self_attn.o_proj"] = "attn_output",
        ["post_attention_layernorm"] = "ffn_norm",
        ["mlp.gate_proj"] = "ffn_gate",
        ["mlp.up_proj"] = "ffn_up",
        ["mlp.down_proj"] = "ffn_down",
    };

    /// <summary>The GGUF name of a weight or bias of a checkpoint, such as <c>model.norm.weight</c>.</summary>
    public static string Of(string checkpointName)
    {
        switch (checkpointName)
        {
            case LlamaShapes.EmbeddingName: return Embedding;
            case LlamaShapes.FinalNormName: return FinalNorm;
            case LlamaShapes.HeadName: return Head;
        }

        var (dot, last) = (
            checkpointName.IndexOf('.', "model.layers.".Length),
            checkpointName.LastIndexOf('.'));
        var (layer, part, kind) = (
            checkpointName["model.layers.".Length..dot], checkpointName[(dot + 1)..last], checkpointName[last..]);
        return $"blk.{layer}.{Parts[part]}{kind}";
    }

    /// <summary>The number of heads whose rows are permuted, for q and k; else 0.</summary>
    internal static int PermutedHeads(LlamaConfig config, string checkpointName) =>
        checkpointName.Contains(".q_proj.", StringComparison.Ordinal) ? config.Heads
        : checkpointName.Contains(".k_proj.", StringComparison.Ordinal) ? config.KeyValueHeads
        : 0;
}
