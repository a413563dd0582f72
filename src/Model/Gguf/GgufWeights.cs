using System.Runtime.InteropServices;
using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>The weights of a LLaMA from a mapped GGUF file, under their checkpoint names.</summary>
/// <remarks>
/// All types are borrowed from the file in the form they are stored in; quantized blocks are decoded where a kernel
/// reads them. Rows of q and k get memory of their own, since they stand in another order in the file; the file's pages
/// of these are read once and then left to the system. Blocks that a GPU has no kernels for are decoded to fp32 as the
/// file is opened.
/// </remarks>
internal sealed class GgufWeights : IDisposable
{
    private const int PartBlocks = 1 << 20;

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
                $"{_file.Header.Path}: tensor '{name}' has shape {found.Shape}, expected {expected.Shape} by the "
                + "keys.");
        }

        RequireFinite(found);
        var format = FormatOf(found);
        if (format is not null && GgufNames.PermutedHeads(_config, expected.Name) == 0)
        {
            return _backend.Import(_file.Memory, found.Offset, expected.Shape, format, expected.Name);
        }

        var memory = Copy(expected, found, format);
        return _backend.Import(memory, 0, expected.Shape, format ?? WeightFormat.F32, expected.Name);
    }

    /// <summary>
    /// Copies a tensor row by row into the checkpoint's order, decoded where the backend has no format for it.
    /// </summary>
    private HostMemory Copy(WeightShape expected, GgufTensor found, WeightFormat? format)
    {
        var heads = GgufNames.PermutedHeads(_config, expected.Name);
        var (rows, columns) = expected.Role == WeightRole.Bias && heads > 0
            ? (expected.Shape[0], 1) : expected.Shape.AsMatrix();
        if (columns % found.Type.BlockValues() != 0)
        {
            throw SafeLlamaException.InvalidData(
                $"{_file.Header.Path}: tensor '{found.Name}' stores {found.Type}, expected F32, F16 or BF16.");
        }

        var rowBytes = (format ?? WeightFormat.F32).RowBytes(columns);
        var memory = new HostMemory(rows * rowBytes, $"tensor '{found.Name}'");
        _owned.Add(memory);
        DecodedBytes += format is null ? memory.ByteCount : 0;
        var stored = found.ByteCount / rows;
        var decoded = new float[format is null ? columns : 0];
        for (var row = 0; row < rows; row++)
        {
            var to = heads == 0 ? row : HeadPermutation.CheckpointRow(row, _config.HeadDim);
            var bytes = _file.Bytes(found, row * stored, stored);
            if (format is null)
            {
                GgufBlocks.Decode(found.Type, bytes, decoded);
                bytes = MemoryMarshal.AsBytes<float>(decoded);
            }

            memory.Write(to * rowBytes, bytes);
        }

        return memory;
    }

    /// <summary>How the backend computes with a tensor as it is stored; null where it cannot.</summary>
    private WeightFormat? FormatOf(GgufTensor tensor) => tensor.Type switch
    {
        GgufType.F32 => WeightFormat.F32,
        GgufType.F16 => WeightFormat.F16,
        GgufType.BF16 => WeightFormat.BF16,
        var type => GgufBlockFormat.Of(type) is var blocks && _backend.Reads(blocks) ? blocks : null,
    };

    private void RequireFinite(GgufTensor tensor)
    {
        for (var from = 0L; from < tensor.ByteCount;)
        {
            // Whole blocks of any type.
            var count = Math.Min(tensor.ByteCount - from, (long)PartBlocks * tensor.Type.BlockBytes());
            if (GgufBlocks.FirstNonFinite(tensor.Type, _file.Bytes(tensor, from, count)) is { } place)
            {
                var before = from / tensor.Type.BlockBytes() * tensor.Type.BlockValues();
                throw SafeLlamaException.InvalidData(
                    $"{_file.Header.Path}: tensor '{tensor.Name}' holds a value that is not finite at element "
                    + $"{before + place}. The file is damaged; download it again.");
            }

            from += count;
        }
    }
}
