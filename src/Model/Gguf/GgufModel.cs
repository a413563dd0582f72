using SafeLlama.Common;

namespace SafeLlama.Model;

/// <summary>The parts of a GGUF file of a model.</summary>
/// <param name="Weights">The base.</param>
/// <param name="Adapter">Folded into the weights as they are written, or null.</param>
/// <param name="Name"><c>general.name</c>.</param>
/// <param name="Format">How matrices are stored; everything of one dimension stays F32.</param>
/// <param name="Tokenizer">The keys of the tokenizer and the chat template.</param>
/// <param name="Threads">How many encode; the bytes do not depend on it.</param>
public sealed record GgufModel(
    LlamaWeights Weights,
    LoraAdapter? Adapter,
    string Name,
    GgufFormat Format,
    IReadOnlyList<(string Key, object Value)> Tokenizer,
    int Threads)
{
    private const int PartValues = 1 << 20;

    private LlamaConfig Config => Weights.Config;

    /// <summary>Writes the file.</summary>
    /// <returns>Remarks, one line each: the tensors that got another type.</returns>
    /// <exception cref="SafeLlamaException">
    /// GGUF cannot express this model, or a value does not fit the type.
    /// </exception>
    public IReadOnlyList<string> Write(string path)
    {
        if (Config.ScoresSequences)
        {
            throw SafeLlamaException.InvalidData(
                "This model is a LlamaForSequenceClassification: GGUF has no place for its head, score.weight.");
        }

        var items = Items().ToList();
        GgufWriter.Write(path, Keys(), items);
        return Notes(items);
    }

    private List<(string, object)> Keys() =>
    [
        ("general.architecture", "llama"),
        ("general.type", "model"),
        ("general.name", Name),
        ("general.file_type", Format.FileType()),
        .. Format.IsQuantized() ? [("general.quantization_version", (object)2u)] : Array.Empty<(string, object)>(),
        .. GgufConfig.Keys(Config),
        .. Tokenizer,
    ];

    private IEnumerable<GgufItem> Items()
    {
        foreach (var shape in LlamaShapes.Of(Config))
        {
            yield return Item(shape);
            if (shape.Name == LlamaShapes.EmbeddingName && RopeDivisors.Of(Config.Rope, Config.HeadDim) is { } divisors)
            {
                yield return GgufItem.OfFloats(
                    GgufNames.RopeDivisors, [divisors.Length], Array.ConvertAll(divisors, d => (float)d));
            }
        }
    }

    private GgufItem Item(WeightShape shape)
    {
        var name = GgufNames.Of(shape.Name);
        var type = shape.Role == WeightRole.Matrix
            ? GgufFormats.Fitting(Format.Wanted(name, Config), shape.Shape[1])
            : GgufType.F32;
        return new(name, type, shape.Shape.Dimensions.ToArray(), () => Parts(shape, type));
    }

    /// <summary>Whole rows of whole heads at a time, in the file's order.</summary>
    private IEnumerable<byte[]> Parts(WeightShape shape, GgufType type)
    {
        var weight = Weights[shape.Name].Value;
        var (rows, columns) = shape.Role == WeightRole.Matrix ? (weight.Rows, weight.Columns) : (weight.Columns, 1);
        var heads = GgufNames.PermutedHeads(Config, shape.Name);
        var unit = heads > 0 ? Config.HeadDim : 1;
        var step = Math.Max(1, PartValues / columns / unit) * unit;
        var merge = Merge(shape);
        for (var first = 0; first < rows; first += step)
        {
            var count = Math.Min(step, rows - first);
            var wide = shape.Role == WeightRole.Matrix
                ? weight.Slice(first, count).ReadDoubles()
                : weight.SliceVector(first, count).ReadDoubles();
            merge(first, wide);
            var values = Array.ConvertAll(wide, value => (float)value);
            CheckRange(values, shape.Name, type);
            yield return GgufItem.Encoded(
                type, heads > 0 ? HeadPermutation.ToFile<float>(values, columns, Config.HeadDim) : values, Threads);
        }
    }

    /// <summary>Merges the adapter into rows of a weight that it stands beside.</summary>
    private Action<int, double[]> Merge(WeightShape shape)
    {
        var module = shape.Name[..shape.Name.LastIndexOf('.')];
        return shape.Role == WeightRole.Matrix && Adapter?.Find(module) is { } factors
            ? factors.Merger()
            : (_, _) => { };
    }

    private static void CheckRange(float[] values, string name, GgufType type)
    {
        const float LargestHalf = 65504;
        var limit = type is GgufType.F32 or GgufType.BF16 ? float.MaxValue : LargestHalf;
        var at = Array.FindIndex(values, value => !(MathF.Abs(value) <= limit));
        if (at >= 0)
        {
            throw SafeLlamaException.InvalidData(
                $"'{name}' holds {values[at]:G4}, which {type} cannot store; write {nameof(GgufFormat.F32)} instead.");
        }
    }

    private List<string> Notes(List<GgufItem> items) =>
    [
        .. items
            .Where(item => item.Dimensions.Count == 2)
            .Select(item => (item, wanted: Format.Wanted(item.Name, Config)))
            .Where(pair => pair.item.Type != pair.wanted)
            .GroupBy(pair => (pair.wanted, pair.item.Type, Columns: pair.item.Dimensions[1]))
            .Select(group => $"{group.Count()} tensors are {group.Key.Type} instead of {group.Key.wanted}: blocks of "
                + $"{group.Key.wanted.BlockValues()} do not divide their rows of {group.Key.Columns} "
                + $"({string.Join(", ", group.Take(3).Select(pair => pair.item.Name))}"
                + $"{(group.Count() > 3 ? ", …" : "")})."),
    ];
}
