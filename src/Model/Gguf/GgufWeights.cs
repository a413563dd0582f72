using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>The weights of a LLaMA from a mapped GGUF file, under their checkpoint names.</summary>
/// <remarks>
/// F32, F16 and BF16 are borrowed from the file. Two kinds of tensor get memory of their own: q and k, whose rows stand
/// in another order in the file (the file's pages of these are read once and then left to the system), and blocks of
/// quantized values, which are decoded to the fp32 values they stand for.
/// </remarks>
internal sealed class GgufWeights : IDisposable
{
    private const int PartValues = 1 << 22;

    private readonly GgufFile _file;
    private readonly LlamaConfig _config;
    private readonly IBackend _backend;
    private readonly List<HostMemory> _owned = [];

    private GgufWeights(GgufFile file, LlamaConfig config, IBackend backend) =>
        (_file, _config, _backend) = (file, config, backend);

    /// <summary>The bytes of decoded weights, beside the file's own pages.</summary>
    public long DecodedBytes { get; private set; }

    /// <summary>Tensors that this model has no use for.</summary>
    public List<string> Unused { get; private set; } = [];

    public Dictionary<string, Tensor> Tensors { get; } = [];

    /// <exception cref="SafeLlamaException">A tensor is missing, misshapen or not finite.</exception>
    public static GgufWeights Load(string path, LlamaConfig config, IBackend backend)
    {
        var weights = new GgufWeights(GgufFile.Open(path), config, backend);
        try
        {
            var known = new HashSet<string> { GgufNames.RopeDivisors };
            foreach (var shape in LlamaShapes.Of(config))
            {
                var name = GgufNames.Of(shape.Name);
                known.Add(name);
                weights.Tensors[shape.Name] = weights.Import(shape, name);
            }

            weights.Unused = [.. weights._file.Header.Tensors.Keys.Where(name => !known.Contains(name))];
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>A tensor as the engine holds it: blocks are decoded.</summary>
    public static long BytesInMemory(GgufTensor tensor) => Stored(tensor.Type) is not null
        ? tensor.ByteCount
        : tensor.ByteCount / tensor.Type.BlockBytes() * tensor.Type.BlockValues() * sizeof(float);

    public void Dispose()
    {
        _owned.ForEach(memory => memory.Dispose());
        _file.Dispose();
    }

    private Tensor Import(WeightShape expected, string name)
    {
        if (!_file.Header.Tensors.TryGetValue(name, out var found))
        {
            throw SafeLlamaException.InvalidData(
                $"{_file.Header.Path}: tensor '{name}' is missing; the keys promise it with shape {expected.Shape}.");
        }

        if (!found.Dimensions.SequenceEqual(expected.Shape.Dimensions.ToArray()))
        {
            throw SafeLlamaException.InvalidData(
                $"{_file.Header.Path}: tensor '{name}' has shape {found.Shape}, expected {expected.Shape} by the keys.");
        }

        if (Stored(found.Type) is { } type && GgufNames.PermutedHeads(_config, expected.Name) == 0)
        {
            RequireFinite(NonFiniteIn(_file.Memory, found.Offset, found.ByteCount, type), found);
            return _backend.Import(
                _file.Memory, found.Offset, expected.Shape, WeightFormat.Of(type), expected.Name);
        }

        var (memory, stored) = Copy(expected, found);
        RequireFinite(NonFiniteIn(memory, 0, memory.ByteCount, stored), found);
        return _backend.Import(memory, 0, expected.Shape, WeightFormat.Of(stored), expected.Name);
    }

    /// <summary>Decodes a tensor, or copies it, row by row into the checkpoint's order.</summary>
    private (HostMemory Memory, DType Type) Copy(WeightShape expected, GgufTensor found)
    {
        var isPlain = Stored(found.Type) is not null;
        var type = Stored(found.Type) ?? DType.Float32;
        var heads = GgufNames.PermutedHeads(_config, expected.Name);
        var (rows, columns) = expected.Role == WeightRole.Bias && heads > 0
            ? (expected.Shape[0], 1) : expected.Shape.AsMatrix();
        if (columns % found.Type.BlockValues() != 0)
        {
            throw SafeLlamaException.InvalidData(
                $"{_file.Header.Path}: tensor '{found.Name}' stores {found.Type}, expected F32, F16 or BF16.");
        }

        var memory = new HostMemory(expected.Shape.Count * type.Size(), $"tensor '{found.Name}'");
        _owned.Add(memory);
        DecodedBytes += isPlain ? 0 : memory.ByteCount;
        var rowBytes = found.ByteCount / rows;
        var decoded = new float[isPlain ? 0 : columns];
        for (var row = 0; row < rows; row++)
        {
            var to = heads == 0 ? row : HeadPermutation.CheckpointRow(row, _config.HeadDim);
            var bytes = _file.Bytes(found, row * rowBytes, rowBytes);
            if (!isPlain)
            {
                GgufBlocks.Decode(found.Type, bytes, decoded);
                bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(decoded);
            }

            memory.Write((long)to * columns * type.Size(), bytes);
        }

        return (memory, type);
    }

    /// <summary>The type that the engine computes with as it is stored; null for blocks.</summary>
    private static DType? Stored(GgufType type) => type switch
    {
        GgufType.F32 => DType.Float32,
        GgufType.F16 => DType.Float16,
        GgufType.BF16 => DType.BFloat16,
        _ => null,
    };

    private static unsafe long? NonFiniteIn(HostMemory memory, long offset, long count, DType type)
    {
        const int PartBytes = PartValues * 4;
        for (var from = 0L; from < count; from += PartBytes)
        {
            var part = new ReadOnlySpan<byte>(memory.Pointer + offset + from, (int)Math.Min(PartBytes, count - from));
            if (NonFinite.First(part, type) is { } place)
            {
                return (from / type.Size()) + place;
            }
        }

        return null;
    }

    private void RequireFinite(long? place, GgufTensor tensor)
    {
        if (place is not null)
        {
            throw SafeLlamaException.InvalidData(
                $"{_file.Header.Path}: tensor '{tensor.Name}' holds a value that is not finite at element {place}. The "
                + "file is damaged; download it again.");
        }
    }
}
