using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>Every weight of a DeBERTa-v2/v3 classifier, by its checkpoint name.</summary>
public static class EncoderShapes
{
    public const string WordsName = "deberta.embeddings.word_embeddings.weight";
    public const string DistancesName = "deberta.encoder.rel_embeddings.weight";
    public const string WordsNorm = "deberta.embeddings.LayerNorm";
    public const string DistancesNorm = "deberta.encoder.LayerNorm";
    public const string Pooler = "pooler.dense";
    public const string Classifier = "classifier";

    /// <summary>The six linears of a layer, by the last part of their path that tells them apart.</summary>
    public static IReadOnlyList<string> LinearNames { get; } =
        ["query_proj", "key_proj", "value_proj", "attention.output.dense", "intermediate.dense", "output.dense"];

    /// <summary>Whether a weight belongs to the head, which a checkpoint without a classifier lacks.</summary>
    public static bool IsHead(string name) => name.StartsWith(Pooler + ".", StringComparison.Ordinal)
        || name.StartsWith(Classifier + ".", StringComparison.Ordinal);

    /// <summary>The path of a layer: <c>deberta.encoder.layer.3</c>.</summary>
    public static string Layer(int layer) => $"deberta.encoder.layer.{layer}";

    /// <summary>The path of a linear: <c>deberta.encoder.layer.3.attention.self.query_proj</c>.</summary>
    public static string Module(int layer, string linear) => linear.EndsWith("_proj", StringComparison.Ordinal)
        ? $"{Layer(layer)}.attention.self.{linear}" : $"{Layer(layer)}.{linear}";

    /// <summary>[D_out, D_in] of a linear.</summary>
    public static Shape LinearShape(EncoderConfig c, string linear) => linear switch
    {
        "intermediate.dense" => new(c.IntermediateSize, c.HiddenSize),
        "output.dense" => new(c.HiddenSize, c.IntermediateSize),
        _ => new(c.HiddenSize, c.HiddenSize),
    };

    /// <summary>Pooler and classifier.</summary>
    public static IEnumerable<WeightShape> Head(EncoderConfig c) =>
        Linear(Pooler, new(c.HiddenSize, c.HiddenSize)).Concat(Linear(Classifier, new(c.Labels, c.HiddenSize)));

    public static IEnumerable<WeightShape> Of(EncoderConfig c)
    {
        yield return new(WordsName, new(c.VocabularySize, c.HiddenSize), WeightRole.Matrix);
        yield return new(DistancesName, new(2 * c.DistanceSpan, c.HiddenSize), WeightRole.Matrix);
        var blocks = Enumerable.Range(0, c.Layers).SelectMany(layer => LinearNames
            .SelectMany(linear => Linear(Module(layer, linear), LinearShape(c, linear)))
            .Concat(Norm($"{Layer(layer)}.attention.output.LayerNorm", c))
            .Concat(Norm($"{Layer(layer)}.output.LayerNorm", c)));
        foreach (var shape in Norm(WordsNorm, c).Concat(Norm(DistancesNorm, c)).Concat(blocks)
            .Concat(Head(c)))
        {
            yield return shape;
        }
    }

    private static IEnumerable<WeightShape> Linear(string module, Shape shape) =>
    [
        new($"{module}.weight", shape, WeightRole.Matrix),
        new($"{module}.bias", new(shape[0]), WeightRole.Bias),
    ];

    private static IEnumerable<WeightShape> Norm(string module, EncoderConfig c) =>
    [
        new($"{module}.weight", new(c.HiddenSize), WeightRole.Norm),
        new($"{module}.bias", new(c.HiddenSize), WeightRole.Bias),
    ];
}
