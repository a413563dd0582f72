using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>Which weights of an encoder are trained.</summary>
public enum EncoderLearning
{
    /// <summary>Every weight is borrowed from the file and frozen.</summary>
    Nothing,

    /// <summary>Pooler and classifier; a checkpoint without them gets new ones.</summary>
    Head,

    Everything,
}

/// <summary>
/// The weights of an encoder by checkpoint name: frozen in mapped files, or copied or initialized for training.
/// </summary>
public sealed class EncoderWeights : IDisposable
{
    private readonly Dictionary<string, Weight> _weights = [];
    private readonly List<IDisposable> _owned = [];

    private EncoderWeights(EncoderConfig config) => Config = config;

    public EncoderConfig Config { get; }

    /// <summary>Tensors of the checkpoint that this model does not use, for a report.</summary>
    public IReadOnlyList<string> Ignored { get; private set; } = [];

    /// <summary>Weights of the head that the checkpoint lacks and that were initialized, for a report.</summary>
    public IReadOnlyList<string> Drawn { get; private set; } = [];

    /// <summary>What learns.</summary>
    public IReadOnlyList<Parameter> Parameters { get; private set; } = [];

    public Weight this[string name] => _weights[name];

    /// <summary>Reads a checkpoint folder.</summary>
    /// <param name="seed">Of a head that the checkpoint lacks.</param>
    /// <exception cref="SafeLlamaException">
    /// A tensor is missing, misshapen, of an unknown type or not finite.
    /// </exception>
    public static EncoderWeights Load(
        IBackend backend, EncoderConfig config, string folder, EncoderLearning learning = EncoderLearning.Nothing,
        long seed = 0)
    {
        var files = CheckpointFiles.Open(folder);
        var weights = new EncoderWeights(config);
        weights._owned.Add(files);
        try
        {
            var missing = Missing(files, config, learning);
            Stored(files, config, missing, backend);
            using var host = new ReferenceBackend();
            weights.Add(
                backend, shape => IsTrainable(shape, learning),
                shape => LlamaWeights.Import(files, shape, backend),
                shape => missing.Contains(shape)
                    ? LlamaWeights.RandomValues(shape, config.InitializerRange, seed)
                    : LlamaWeights.Import(files, shape, host).ReadDoubles());
            weights.Drawn = [.. missing.Select(s => s.Name)];
            var known = EncoderShapes.Of(config).Select(s => s.Name).ToHashSet();
            weights.Ignored = [.. files.Tensors.Keys.Where(n => !known.Contains(n)).Order(StringComparer.Ordinal)];
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>Weights without memory, for planning the memory of a model.</summary>
    public static EncoderWeights Plan(IBackend backend, EncoderConfig config)
    {
        var weights = new EncoderWeights(config);
        var planned = LlamaWeights.Parameterize(
            [.. EncoderShapes.Of(config)], new Arena(backend, "weights"), new Arena(backend, "weight gradients"));
        foreach (var parameter in planned)
        {
            weights._weights[parameter.Name] = new Weight(parameter.Value);
        }

        return weights;
    }

    /// <summary>
    /// The bytes of the weights that a checkpoint stores for this model, once all are there in the right shapes; their
    /// values are not read.
    /// </summary>
    /// <exception cref="SafeLlamaException">A tensor is missing, misshapen or of an unknown type.</exception>
    public static long StoredBytes(
        IBackend backend, EncoderConfig config, string folder, EncoderLearning learning = EncoderLearning.Nothing)
    {
        using var files = CheckpointFiles.Open(folder);
        return Stored(files, config, Missing(files, config, learning), backend);
    }

    /// <summary>Draws new weights that learn: matrices normal, norms one, biases zero.</summary>
    public static EncoderWeights InitializeRandom(IBackend backend, EncoderConfig config, long seed)
    {
        var weights = new EncoderWeights(config);
        weights.Add(
            backend, _ => true, _ => throw new InvalidOperationException("Every weight is drawn."),
            shape => LlamaWeights.RandomValues(shape, config.InitializerRange, seed));
        return weights;
    }

    /// <summary>Writes <c>model.safetensors</c> in <paramref name="type"/>.</summary>
    public void Save(string path, DType type) => SafetensorsWriter.Write(
        path, _weights.Select(w => SafetensorsItem.Of(w.Key, w.Value.Value, type)),
        new Dictionary<string, string> { ["format"] = "pt" });

    /// <summary>Writes the head that learned beside an adapter.</summary>
    public void SaveHead(string folder) => SafetensorsWriter.Write(
        Path.Combine(folder, RewardModel.HeadFile),
        Parameters.Where(p => EncoderShapes.IsHead(p.Name))
            .Select(p => SafetensorsItem.Of(p.Name, p.Value, DType.Float32)),
        new Dictionary<string, string> { ["format"] = "pt" });

    /// <summary>Reads a head that <see cref="SaveHead"/> wrote into one that learns.</summary>
    /// <exception cref="SafeLlamaException">There is none, or it is another model's.</exception>
    public void LoadHead(string folder)
    {
        using var file = SafetensorsFile.Open(Path.Combine(folder, RewardModel.HeadFile));
        foreach (var parameter in Parameters.Where(p => EncoderShapes.IsHead(p.Name)))
        {
            if (!file.Entries.TryGetValue(parameter.Name, out var entry) || entry.Shape != parameter.Value.Shape)
            {
                throw SafeLlamaException.InvalidData(
                    $"{file.Path}: '{parameter.Name}' is {entry?.Shape.ToString() ?? "missing"}, expected "
                    + $"{parameter.Value.Shape}. Was it trained on another encoder?");
            }

            var values = new double[entry.Shape.Count];
            TensorConvert.ToDoubles(file.Bytes(entry), file.WeightType(entry), values);
            parameter.Value.Write(values.All(double.IsFinite)
                ? values
                : throw SafeLlamaException.InvalidData(
                    $"{file.Path}: '{parameter.Name}' holds a value that is not finite."));
        }
    }

    public void Dispose() => _owned.ForEach(owned => owned.Dispose());

    /// <summary>
    /// The weights that the head lacks. A head with other labels counts as missing where a new one is trained.
    /// </summary>
    private static List<WeightShape> Missing(CheckpointFiles files, EncoderConfig config, EncoderLearning learning)
    {
        var missing = EncoderShapes.Head(config).Where(s => !files.Tensors.TryGetValue(s.Name, out var found)
            || (learning == EncoderLearning.Head && found.Entry.Shape != s.Shape)).ToList();
        return learning == EncoderLearning.Nothing && missing.Count > 0
            ? throw SafeLlamaException.InvalidData(
                $"{files.Folder}: holds no tensor '{missing[0].Name}': it is an encoder without a classifier. "
                + "Train one on it first, or use a checkpoint that has one.")
            : missing;
    }

    /// <summary>
    /// Ends at the first tensor that is not there, however many layers config.json promises; values are not read.
    /// </summary>
    private static long Stored(
        CheckpointFiles files, EncoderConfig config, List<WeightShape> missing, IBackend backend)
    {
        var bytes = 0L;
        foreach (var shape in EncoderShapes.Of(config).Where(s => !missing.Contains(s)))
        {
            var (file, entry) = LlamaWeights.Find(files, shape, backend);
            bytes += file.Bytes(entry).Length;
        }

        return bytes;
    }

    private static bool IsTrainable(WeightShape shape, EncoderLearning learning) => learning switch
    {
        EncoderLearning.Everything => true,
        EncoderLearning.Head => EncoderShapes.IsHead(shape.Name),
        _ => false,
    };

    private void Add(
        IBackend backend, Func<WeightShape, bool> learns, Func<WeightShape, Tensor> frozen,
        Func<WeightShape, double[]> values)
    {
        var (arena, gradients) = (new Arena(backend, "weights"), new Arena(backend, "weight gradients"));
        _owned.AddRange([arena, gradients]);
        var learning = EncoderShapes.Of(Config).Where(learns).ToList();
        Parameters = LlamaWeights.Parameterize(learning, arena, gradients);
        arena.Commit();
        gradients.Commit();
        foreach (var (shape, parameter) in learning.Zip(Parameters))
        {
            parameter.Value.Write(values(shape));
            _weights[shape.Name] = new Weight(parameter.Value, parameter);
        }

        foreach (var shape in EncoderShapes.Of(Config).Where(s => !learns(s)))
        {
            _weights[shape.Name] = new Weight(frozen(shape));
        }
    }
}
