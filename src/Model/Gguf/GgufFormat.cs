using SafeLlama.Common;

namespace SafeLlama.Model;

/// <summary>The format of a GGUF file: one stored type, or the mixture of that name in llama.cpp.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage(
    "Naming", "CA1707", Justification = "The names are the format's own, and what a user types.")]
public enum GgufFormat
{
    F32,
    F16,
    BF16,
    Q8_0,

    /// <summary>Q4_0, the head Q6_K.</summary>
    Q4_0,

    /// <summary>Q4_K; the head, and of some layers the value and down projections, Q6_K.</summary>
    Q4_K_M,
    Q6_K,
}

/// <summary>Which stored type each tensor gets.</summary>
public static class GgufFormats
{
    /// <summary>The number of <c>general.file_type</c>.</summary>
    public static uint FileType(this GgufFormat format) => format switch
    {
        GgufFormat.F32 => 0,
        GgufFormat.F16 => 1,
        GgufFormat.Q4_0 => 2,
        GgufFormat.Q8_0 => 7,
        GgufFormat.Q4_K_M => 15,
        GgufFormat.Q6_K => 18,
        _ => 32,
    };

    public static bool IsQuantized(this GgufFormat format) =>
        format is not (GgufFormat.F32 or GgufFormat.F16 or GgufFormat.BF16);

    /// <summary>The type of a matrix by the format's mixture, whatever its width.</summary>
    /// <param name="name">Its GGUF name.</param>
    internal static GgufType Wanted(this GgufFormat format, string name, LlamaConfig config)
    {
        // A tied embedding is the head too.
        var isHead = name == GgufNames.Head || (config.TieWordEmbeddings && name == GgufNames.Embedding);
        return format switch
        {
            GgufFormat.F32 => GgufType.F32,
            GgufFormat.F16 => GgufType.F16,
            GgufFormat.BF16 => GgufType.BF16,
            GgufFormat.Q8_0 => GgufType.Q8_0,
            GgufFormat.Q6_K => GgufType.Q6_K,
            _ when isHead => GgufType.Q6_K,
            GgufFormat.Q4_0 => GgufType.Q4_0,
            _ => HasMoreBits(name, config.Layers) ? GgufType.Q6_K : GgufType.Q4_K,
        };
    }

    /// <summary>The wanted type, or the next one whose blocks divide rows of that width; F16 where none does.</summary>
    internal static GgufType Fitting(GgufType wanted, int columns) =>
        columns % wanted.BlockValues() == 0 ? wanted
        : columns % GgufType.Q8_0.BlockValues() == 0 ? GgufType.Q8_0
        : GgufType.F16;

    /// <summary>The first and last eighth of the layers, and every third between.</summary>
    private static bool HasMoreBits(string name, int layers)
    {
        if (!name.EndsWith(".attn_v.weight", StringComparison.Ordinal)
            && !name.EndsWith(".ffn_down.weight", StringComparison.Ordinal))
        {
            return false;
        }

        var layer = int.Parse(name.Split('.')[1], System.Globalization.CultureInfo.InvariantCulture);
        return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - (layers / 8)) % 3 == 2;
    }
}
