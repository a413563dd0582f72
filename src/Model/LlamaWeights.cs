using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>
/// The weights of a LLaMA by checkpoint name: frozen in mapped files, or copied or initialized for training.
/// </summary>
public sealed class LlamaWeights : IDisposable
{
    private readonly Dictionary<string, Weight> _weights;
    private readonly IDisposable[] _owned;

    private LlamaWeights(
        LlamaConfig config,
        Dictionary<string, Weight> weights,
        IReadOnlyList<string> ignored,
        params IDisposable[] owned)
    {
        (Config, _weights, Ignored, _owned) = (config, weights, ignored, owned);
    }

    public LlamaConfig Config { get; }

    /// <summary>Tensors of the checkpoint that this model does not use, for a report.</summary>
    public IReadOnlyList<string> Ignored { get; }

    /// <summary>Whether the rows of a pass are quantized together, so that what one becomes depends on the others.
    /// </summary>
    public bool QuantizesActivations =>
        _weights.Values.Any(weight => weight.Value.Format is Int8Format { Threshold: not null });

    public Weight this[string name] => _weights[name];

    /// <summary>The weight, or null where the model has none, such as a bias.</summary>
    public Weight? Find(string name) => _weights.GetValueOrDefault(name);

    /// <summary>Remarks, one line each: memory beyond the file's own pages, and files that are not read.</summary>
    public IReadOnlyList<string> Notes { get; private init; } = [];

    /// <summary>The trained parameters; none where the model is frozen.</summary>
    public IReadOnlyList<Parameter> Parameters { get; private init; } = [];

    /// <summary>
    /// Maps every weight of a checkpoint folder or a GGUF file, frozen, in its stored type. The file's pages are the
    /// only copy, except for q and k of a GGUF file.
    /// </summary>
    /// <exception cref="SafeLlamaException">
    /// A tensor is missing, misshapen, of an unknown type or not finite.
    /// </exception>
    /// <param name="form">What the linears become; the other weights stay as they are stored.</param>
    public static LlamaWeights Load(IBackend backend, LlamaConfig config, string folder, LoadForm form = default)
    {
        QuantizedNotes.Check(config, folder, form);
        if (GgufHeader.IsGguf(folder))
        {
            return LoadGguf(backend, config, folder);
        }

        var files = CheckpointFiles.Open(folder);
        var quantized = new QuantizedImport(files, backend, form, config.Quantization);
        try
        {
            var weights = new Dictionary<string, Weight>();
            foreach (var expected in LlamaShapes.Of(config))
            {
                weights[expected.Name] = new Weight(
                    quantized.Import(expected) ?? Import(files, expected, backend));
            }

            return new(config, weights, UnusedTensors.Of(files, config), quantized, files)
            {
                Notes =
                [
                    .. files.Unread() is { } unread ? [unread] : Array.Empty<string>(),
                    .. QuantizedNotes.Of(config, folder, form, backend, quantized.DecodedBytes),
                ],
            };
        }
        catch
        {
            quantized.Dispose();
            files.Dispose();
            throw;
        }
    }

    private static LlamaWeights LoadGguf(IBackend backend, LlamaConfig config, string path)
    {
        var file = GgufWeights.Load(path, config, backend);
        return new(config, file.Tensors.ToDictionary(t => t.Key, t => new Weight(t.Value)), file.Unused, file)
        {
            Notes = file.DecodedBytes == 0 ? [] :
            [
                FormattableString.Invariant($"{path}: a GPU has kernels for blocks of Q8_0, Q4_0, Q4_K and Q6_K; ")
                    + FormattableString.Invariant(
                        $"other blocks are decoded to fp32, {file.DecodedBytes / 1e6:F1} MB of memory."),
            ],
        };
    }

    /// <summary>The bytes that the frozen weights of a folder or a GGUF file take in memory.</summary>
    public static long BytesOf(string path, LoadForm form = default)
    {
        if (GgufHeader.IsGguf(path))
        {
            return GgufHeader.Read(path).Tensors.Values.Sum(tensor => tensor.ByteCount);
        }

        if (form.As == LoadAs.Stored && !File.Exists(Path.Combine(path, "config.json")))
        {
            return CheckpointFiles.BytesOf(path);
        }

        var config = LlamaConfig.Load(path);
        if (form.As == LoadAs.Stored && config.Quantization is null)
        {
            return CheckpointFiles.BytesOf(path);
        }

        using var files = CheckpointFiles.Open(path);
        return QuantizedFormats.BytesOf(files, config, form);
    }

    /// <summary>Copies a checkpoint into trainable weights, in the backend's accumulation type.</summary>
    public static LlamaWeights LoadTrainable(IBackend backend, LlamaConfig config, string folder)
    {
        if (GgufHeader.IsGguf(folder))
        {
            throw SafeLlamaException.Usage(
                $"{folder}: is a GGUF file, which can be a base for LoRA but not be trained whole. Use a checkpoint "
                + "folder with model.safetensors.");
        }

        QuantizedNotes.RequirePlain(config, folder, "be trained whole");
        using var files = CheckpointFiles.Open(folder);
        using var host = new ReferenceBackend();
        return Learning(
            backend, config, UnusedTensors.Of(files, config),
            (shape, value) => value.Write(Import(files, shape, host).ReadDoubles()));
    }

    /// <summary>New weights at random: matrices normal, norms one, biases zero.</summary>
    public static LlamaWeights InitializeRandom(IBackend backend, LlamaConfig config, long seed) =>
        Learning(backend, config, [],
            (shape, value) => value.Write(RandomValues(shape, config.InitializerRange, seed)));

    /// <summary>Weights without memory, for planning the memory of a model.</summary>
    public static LlamaWeights Plan(IBackend backend, LlamaConfig config, bool trainable)
    {
        var parameters = Parameterize(
            LlamaShapes.Of(config), new Arena(backend, "weights"), new Arena(backend, "weight gradients"));
        return new(config, parameters.ToDictionary(p => p.Name, p => new Weight(p.Value, trainable ? p : null)), [])
        {
            Parameters = trainable ? parameters : [],
        };
    }

    /// <summary>
    /// Writes <c>model.safetensors</c> in <paramref name="type"/>; the caller adds config and tokenizer.
    /// </summary>
    public void Save(string path, DType type) => SafetensorsWriter.Write(
        path,
        _weights.Select(w => SafetensorsItem.Of(w.Key, w.Value.Value, type)),
        new Dictionary<string, string> { ["format"] = "pt" });

    public void Dispose()
    {
        foreach (var owned in _owned)
        {
            owned.Dispose();
        }
    }

    private static LlamaWeights Learning(
        IBackend backend, LlamaConfig config, IReadOnlyList<string> ignored, Action<WeightShape, Tensor> fill)
    {
        var values = new Arena(backend, "weights");
        var gradients = new Arena(backend, "weight gradients");
        var shapes = LlamaShapes.Of(config).ToList();
        var parameters = Parameterize(shapes, values, gradients);
        values.Commit();
        gradients.Commit();
        foreach (var (shape, parameter) in shapes.Zip(parameters))
        {
            fill(shape, parameter.Value);
        }

        var weights = parameters.ToDictionary(p => p.Name, p => new Weight(p.Value, p));
        return new(config, weights, ignored, values, gradients)
        {
            Parameters = parameters,
        };
    }

    internal static List<Parameter> Parameterize(IEnumerable<WeightShape> shapes, Arena values, Arena gradients) =>
        [.. shapes.Select(s => new Parameter(
            s.Name,
            values.Take(s.Shape, values.Backend.Accumulation, s.Name),
            gradients.Take(s.Shape, gradients.Backend.Accumulation, $"d {s.Name}"),
            Decays: s.Role == WeightRole.Matrix))];

    internal static double[] RandomValues(WeightShape shape, double range, long seed)
    {
        var values = new double[shape.Shape.Count];
        if (shape.Role == WeightRole.Norm)
        {
            Array.Fill(values, 1);
        }
        else if (shape.Role == WeightRole.Matrix)
        {
            var stream = Philox.Stream(seed, "weights/" + shape.Name);
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = range * stream.Normal(i);
            }
        }

        return values;
    }

    internal static Tensor Import(CheckpointFiles files, WeightShape expected, IBackend backend)
    {
        var (file, entry) = Find(files, expected, backend);
        if (file.FirstNonFinite(entry) is { } place)
        {
            throw SafeLlamaException.InvalidData(
                $"{file.Path}: tensor '{expected.Name}' holds a value that is not finite at element {place}. "
                + "The checkpoint is damaged.");
        }

        return file.Import(entry, backend);
    }

    /// <summary>Finds a tensor of the shape expected; its values are not read.</summary>
    /// <exception cref="SafeLlamaException">It is missing, misshapen or of a type that is not supported.</exception>
    internal static (SafetensorsFile File, SafetensorsEntry Entry) Find(
        CheckpointFiles files, WeightShape expected, IBackend backend)
    {
        if (!files.Tensors.TryGetValue(expected.Name, out var found))
        {
            throw SafeLlamaException.InvalidData(
                $"{files.Folder}: tensor '{expected.Name}' is missing; config.json promises it with shape "
                + $"{expected.Shape}."
                + (expected.Name == LlamaShapes.HeadName
                    ? " Where the head is the embedding table, \"tie_word_embeddings\" must be true."
                    : ""));
        }

        if (found.Entry.Shape != expected.Shape)
        {
            throw SafeLlamaException.InvalidData(
                $"{found.File.Path}: tensor '{expected.Name}' has shape {found.Entry.Shape}, expected "
                + $"{expected.Shape} by config.json.");
        }

        if (found.File.WeightType(found.Entry) == DType.Float64 && backend.Activation != DType.Float64)
        {
            throw new SafeLlamaException(
                ExitCode.InvalidData,
                $"{found.File.Path}: tensor '{expected.Name}' stores F64, expected F32, F16 or BF16.",
                null, "convert the checkpoint", "use `Device` reference");
        }

        return found;
    }
}
