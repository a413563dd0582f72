using SafeLlama.Common;
using SafeLlama.Model;

namespace SafeLlama.Benchmarks;

/// <summary>A model by name, and the batch it is measured with.</summary>
/// <param name="Name">What <c>--config</c> calls it.</param>
/// <param name="Config">Its shape.</param>
/// <param name="Batch">B, sequences of a step.</param>
/// <param name="Length">T, tokens of a sequence.</param>
public sealed record ModelShape(string Name, LlamaConfig Config, int Batch, int Length)
{
    /// <summary>N = B · T.</summary>
    public int Rows => Batch * Length;

    /// <summary>D_out and D_in of the linears of a block, without repeats.</summary>
    public IEnumerable<(string Name, int Outputs, int Inputs)> Linears =>
    [
        ("q", Config.Heads * Config.HeadDim, Config.HiddenSize),
        ("up", Config.IntermediateSize, Config.HiddenSize),
        ("down", Config.HiddenSize, Config.IntermediateSize),
    ];

    /// <summary>The same model with other sizes; 0 keeps one. With the width grow the number of heads and F.</summary>
    public ModelShape Resized(int batch, int length, int layers, int width)
    {
        var c = Config;
        layers = layers > 0 ? layers : c.Layers;
        width = width > 0 ? width : c.HiddenSize;
        var name = layers == c.Layers && width == c.HiddenSize ? Name : $"{Name}-{layers}x{width}";
        return new ModelShape(
            name,
            c with
            {
                Layers = layers,
                HiddenSize = width,
                Heads = c.Heads * width / c.HiddenSize,
                KeyValueHeads = c.KeyValueHeads * width / c.HiddenSize,
                IntermediateSize = c.IntermediateSize * width / c.HiddenSize,
            },
            batch > 0 ? batch : Batch,
            length > 0 ? length : Length);
    }
}

/// <summary>The shapes that benchmarks name.</summary>
public static class ModelShapes
{
    /// <summary>Fits into the last cache; what the miniature study trains is of this order.</summary>
    public static ModelShape Tiny { get; } = Of("tiny", 256, 6, (8, 8), 688, 4096, (8, 256));

    public static ModelShape Small { get; } = Of("small", 768, 12, (12, 12), 2048, 32000, (4, 256));

    /// <summary>Two queries share a key-value head.</summary>
    public static ModelShape Gqa { get; } = Of("gqa", 1024, 16, (16, 8), 2816, 32000, (1, 512));

    /// <summary>1.1 billion weights, the shape of TinyLlama (Zhang et al. 2024, arXiv:2401.02385).</summary>
    public static ModelShape TinyLlama { get; } = Of("tinyllama", 2048, 22, (32, 4), 5632, 32000, (1, 512));

    /// <summary>
    /// One layer's shapes of LLaMA 7B (Touvron et al. 2023, table 2); for single ops, not for whole steps.
    /// </summary>
    public static ModelShape Llama7B { get; } = Of("llama-7b", 4096, 32, (32, 32), 11008, 32000, (1, 512));

    public static IReadOnlyList<ModelShape> Steps { get; } = [Tiny, Small, Gqa];

    public static IReadOnlyList<ModelShape> All { get; } = [.. Steps, TinyLlama, Llama7B];

    /// <exception cref="SafeLlamaException">No shape has this name.</exception>
    public static ModelShape ByName(string name) => All.FirstOrDefault(shape => shape.Name == name)
        ?? throw SafeLlamaException.Usage(
            $"--config {name}: is unknown, expected one of {string.Join(", ", All.Select(s => s.Name))}.");

    private static ModelShape Of(
        string name, int hidden, int layers, (int Query, int KeyValue) heads, int intermediate, int vocabulary,
        (int Size, int Length) batch) => new(
        name,
        new LlamaConfig
        {
            HiddenSize = hidden,
            Layers = layers,
            Heads = heads.Query,
            KeyValueHeads = heads.KeyValue,
            HeadDim = hidden / heads.Query,
            IntermediateSize = intermediate,
            VocabularySize = vocabulary,
        },
        batch.Size,
        batch.Length);
}
