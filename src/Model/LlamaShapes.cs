using System.Globalization;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>The role of a weight. It decides how the weight is initialized and whether it decays.</summary>
public enum WeightRole
{
    /// <summary>Drawn normal with the config's initializer range; decays.</summary>
    Matrix,

    /// <summary>Starts at one; does not decay.</summary>
    Norm,

    /// <summary>Starts at zero; does not decay.</summary>
    Bias,
}

/// <summary>One weight that a checkpoint must hold.</summary>
public sealed record WeightShape(string Name, Shape Shape, WeightRole Role);

/// <summary>Every weight of a LLaMA, by its checkpoint name.</summary>
public static class LlamaShapes
{
    public const string EmbeddingName = "model.embed_tokens.weight";
    public const string FinalNormName = "model.norm.weight";
    public const string HeadName = "lm_head.weight";

    /// <summary>The seven linears of a block, as LoRA targets name them.</summary>
    public static IReadOnlyList<string> LinearNames { get; } =
        ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];

    /// <summary>The path of a linear: <c>model.layers.3.self_attn.q_proj</c>.</summary>
    public static string Module(int layer, string linear) =>
        $"model.layers.{layer}.{(linear is "gate_proj" or "up_proj" or "down_proj" ? "mlp" : "self_attn")}.{linear}";

    /// <summary>The layer and the name of the linear at a path of <see cref="Module"/>.</summary>
    public static (int Layer, string Linear) PlaceOf(string module)
    {
        var parts = module.Split('.');
        return (int.Parse(parts[2], CultureInfo.InvariantCulture), parts[^1]);
    }

    /// <summary>[D_out, D_in] of a linear.</summary>
    public static Shape LinearShape(LlamaConfig c, string linear) => linear switch
    {
        "q_proj" => new(c.Heads * c.HeadDim, c.HiddenSize),
        "k_proj" or "v_proj" => new(c.KeyValueHeads * c.HeadDim, c.HiddenSize),
        "o_proj" => new(c.HiddenSize, c.Heads * c.HeadDim),
        "gate_proj" or "up_proj" => new(c.IntermediateSize, c.HiddenSize),
        "down_proj" => new(c.HiddenSize, c.IntermediateSize),
        _ => throw new ArgumentException($"'{linear}' is none of {string.Join(", ", LinearNames)}."),
    };

    public static IEnumerable<WeightShape> Of(LlamaConfig c)
    {
        yield return new(EmbeddingName, new(c.VocabularySize, c.HiddenSize), WeightRole.Matrix);
        for (var layer = 0; layer < c.Layers; layer++)
        {
            yield return new($"model.layers.{layer}.input_layernorm.weight", new(c.HiddenSize), WeightRole.Norm);
            yield return new(
                $"model.layers.{layer}.post_attention_layernorm.weight", new(c.HiddenSize), WeightRole.Norm);
            foreach (var linear in LinearNames)
            {
                var (module, shape) = (Module(layer, linear), LinearShape(c, linear));
                yield return new($"{module}.weight", shape, WeightRole.Matrix);
                if (module.Contains(".mlp.", StringComparison.Ordinal) ? c.MlpBias : c.AttentionBias)
                {
                    yield return new($"{module}.bias", new(shape[0]), WeightRole.Bias);
                }
            }
        }

        yield return new(FinalNormName, new(c.HiddenSize), WeightRole.Norm);
        if (!c.TieWordEmbeddings && !c.ScoresSequences)
        {
            yield return new(HeadName, new(c.VocabularySize, c.HiddenSize), WeightRole.Matrix);
        }
    }
}
