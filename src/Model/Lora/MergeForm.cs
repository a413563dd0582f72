using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>How merged weights are stored.</summary>
public enum MergedType
{
    /// <summary>As the base stores them.</summary>
    Stored,

    Bf16,

    Fp32,
}

/// <summary>How a merged model is written.</summary>
/// <param name="Type">Null for the base's own types; of a quantized base that of its embeddings.</param>
public readonly record struct MergeForm(MergedType? Type)
{
    /// <summary>The type of every weight; null where each keeps its own.</summary>
    /// <exception cref="SafeLlamaException">A quantized base was asked to stay so.</exception>
    internal DType? TypeFor(LlamaWeights weights, string folder)
    {
        var isQuantized = LlamaShapes.Of(weights.Config).Any(s => weights[s.Name].Value.Type == DType.Blocks);
        return Type switch
        {
            MergedType.Bf16 => DType.BFloat16,
            MergedType.Fp32 => DType.Float32,
            MergedType.Stored when isQuantized => throw SafeLlamaException.Usage(
                $"`Type` {SettingText.Of(MergedType.Stored)}: merged weights cannot stay quantized. {folder} is read "
                + "as 4 or 8 bits, whose steps are coarser than most updates.",
                "leave `Type` out"),
            null when isQuantized => weights[LlamaShapes.EmbeddingName].Value.Type,
            _ => null,
        };
    }
}

/// <summary>What merging did.</summary>
/// <param name="Changed">Weights that differ from the base after rounding.</param>
/// <param name="LeftOut">Of the base's folder: files that hold its unmerged weights, and folders.</param>
/// <param name="Requantized">
/// Over a quantized base, by layer: the error of quantizing the merged weights once more, over the update.
/// </param>
public sealed record MergeReport(
    int Changed, IReadOnlyList<string> LeftOut, IReadOnlyDictionary<int, double> Requantized);
