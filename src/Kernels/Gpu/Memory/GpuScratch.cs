namespace SafeLlama.Kernels;

/// <summary>Device memory for one tensor at a time, grown when a larger one is asked for.</summary>
internal sealed class GpuScratch(GpuDevice device, string what) : IDisposable
{
    private GpuMemory? _memory;

    public long ByteCount => _memory?.ByteCount ?? 0;

    /// <summary>A tensor over the memory; earlier contents are lost.</summary>
    public Tensor Take(Shape shape, DType type, string name)
    {
        var bytes = shape.Count * type.Size();
        if (_memory is null || _memory.ByteCount < bytes)
        {
            _memory?.Dispose();
            _memory = new GpuMemory(device, bytes, what);
        }

        return Tensor.Over(_memory, 0, shape, type, name);
    }

    public void Dispose() => _memory?.Dispose();
}
