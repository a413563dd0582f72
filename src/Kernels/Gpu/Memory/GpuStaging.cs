using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;

namespace SafeLlama.Kernels;

/// <summary>Pinned host memory for small copies to the device that do not block the host.</summary>
/// <remarks>
/// Two halves are filled in turn. A half is reused only when its copies are done, which is normally long before the
/// other half is full.
/// </remarks>
internal sealed class GpuStaging : IDisposable
{
    private const int Alignment = 256;

    private readonly AcceleratorStream _stream;
    private readonly PageLockedArray1D<byte> _memory;
    private readonly GpuEvent[] _left;
    private readonly int _half;
    private int _filling;
    private int _used;

    /// <param name="stream">What copies are queued on.</param>
    /// <param name="byteCount">Of both halves.</param>
    public GpuStaging(GpuDevice device, AcceleratorStream stream, int byteCount)
    {
        (_stream, _half) = (stream, byteCount / 2);
        _memory = device.Accelerator.AllocatePageLocked1D<byte>(byteCount, uninitialized: true);
        _left = [new(device), new(device)];
    }

    /// <summary>The most bytes of one copy.</summary>
    public int MaxBytes => _half;

    /// <summary>Queues a copy.</summary>
    public void Copy(ReadOnlySpan<byte> source, ArrayView<byte> target)
    {
        if (_used + source.Length > _half)
        {
            _left[_filling].Record(_stream);
            (_filling, _used) = (1 - _filling, 0);
            _left[_filling].Wait();
        }

        var staging = _memory.Span.Slice((_filling * _half) + _used, source.Length);
        source.CopyTo(staging);
        target.CopyFromCPUUnsafeAsync(_stream, ref MemoryMarshal.GetReference(staging), source.Length);
        _used += (source.Length + Alignment - 1) / Alignment * Alignment;
    }

    public void Dispose()
    {
        _stream.Synchronize();
        _memory.Dispose();
        Array.ForEach(_left, e => e.Dispose());
    }
}
