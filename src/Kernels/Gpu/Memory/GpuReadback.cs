using System.Runtime.InteropServices;
using ILGPU.Runtime;

namespace SafeLlama.Kernels;

/// <summary>A copy into pinned memory, followed by an event.</summary>
internal sealed class GpuReadback : Readback
{
    private readonly GpuDevice _device;
    private readonly Tensor _source;
    private readonly PageLockedArray1D<byte> _memory;
    private readonly GpuEvent _arrived;

    /// <param name="source">[n] Float64.</param>
    public GpuReadback(GpuDevice device, Tensor source)
    {
        (_device, _source) = (device, source);
        _memory = device.Accelerator.AllocatePageLocked1D<byte>(source.ByteCount, uninitialized: false);
        _arrived = new GpuEvent(device);
    }

    public override bool IsReady => _arrived.IsCompleted;

    public override void Begin()
    {
        var from = ((GpuMemory)_source.Storage).Part(_source.ByteOffset, _source.ByteCount);
        from.CopyToCPUUnsafeAsync(_device.Stream, ref MemoryMarshal.GetReference(_memory.Span), _source.ByteCount);
        _arrived.Record(_device.Stream);
    }

    public override ReadOnlySpan<double> Wait()
    {
        _arrived.Wait();
        return MemoryMarshal.Cast<byte, double>(_memory.Span);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_device.IsDisposed)
        {
            _arrived.Wait();
            _memory.Dispose();
            _arrived.Dispose();
        }
    }
}
