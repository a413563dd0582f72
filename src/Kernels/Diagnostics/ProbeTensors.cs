using SafeLlama.Common;

namespace SafeLlama.Kernels;

/// <summary>
/// The tensors of one check on one backend. Equal names and shapes hold equal numbers on every backend.
/// </summary>
/// <remarks>All numbers are exact in bf16, so a device that stores bf16 starts from the same numbers.</remarks>
internal sealed class ProbeTensors(IBackend backend) : IDisposable
{
    private readonly List<Arena> _arenas = [];
    private readonly List<HostMemory> _memory = [];

    public IBackend Backend => backend;

    /// <summary>Normal numbers drawn for the name, in the activation type unless another is given.</summary>
    public Tensor Take(string name, Shape shape, DType? type = null)
    {
        var stream = Philox.Stream(1, name);
        var values = new double[shape.Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = DTypes.WidenBFloat16(DTypes.NarrowBFloat16((float)stream.Normal(i)));
        }

        return Take(name, shape, values, type ?? backend.Activation);
    }

    /// <summary>As statistics, adapters and optimizer state are stored.</summary>
    public Tensor Wide(string name, Shape shape) => Take(name, shape, backend.Accumulation);

    public Tensor Take(string name, Shape shape, double[] values, DType type)
    {
        var tensor = Plan(name, shape, type);
        tensor.Write(values);
        return tensor;
    }

    /// <summary>A weight in <see cref="Nf4Format"/> or <see cref="Int8Format"/> with codes drawn for the
    /// name.</summary>
    public Tensor Blocks(string name, Shape shape, WeightFormat format)
    {
        var (stream, blockBytes) = (Philox.Stream(1, name), format.BlockBytes);
        var bytes = new byte[format.Bytes(shape)];
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)stream.UInt32(i);
        }

        // A block begins with its absmax, here between a half and one.
        for (var at = 0; at < bytes.Length; at += blockBytes)
        {
            BitConverter.TryWriteBytes(bytes.AsSpan(at), 0.5f + (bytes[at] / 512f));
        }

        var memory = new HostMemory(bytes.Length, name);
        memory.Write(0, bytes);
        _memory.Add(memory);
        return backend.Import(memory, 0, shape, format, name);
    }

    public Tensor Ints(string name, IEnumerable<int> values)
    {
        int[] all = [.. values];
        var tensor = Plan(name, new(all.Length), DType.Int32);
        tensor.Write(all);
        return tensor;
    }

    public void Dispose()
    {
        _arenas.ForEach(arena => arena.Dispose());
        _memory.ForEach(memory => memory.Dispose());
    }

    private Tensor Plan(string name, Shape shape, DType type)
    {
        var arena = new Arena(backend, name);
        _arenas.Add(arena);
        var tensor = arena.Take(shape, type, name);
        arena.Commit();
        return tensor;
    }
}
