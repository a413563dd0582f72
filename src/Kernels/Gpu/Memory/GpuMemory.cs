using ILGPU;
using ILGPU.Runtime;

namespace SafeLlama.Kernels;

/// <summary>A block of device memory. Copies are queued behind the work before them.</summary>
internal sealed class GpuMemory : Storage
{
    private readonly GpuDevice _device;
    private readonly MemoryBuffer1D<byte, Stride1D.Dense> _buffer;

    /// <summary>Set to zero; the size is rounded up so that the block can be read as any type.</summary>
    public GpuMemory(GpuDevice device, long byteCount, string what)
    {
        (_device, ByteCount) = (device, byteCount);
        _buffer = device.Allocate(Math.Max(256, (byteCount + 255) / 256 * 256), what);
        _buffer.View.MemSetToZero(device.Stream);
    }

    public override long ByteCount { get; }

    /// <summary>The double buffer of this block; null for ordinary memory.</summary>
    public GpuDoubleBuffer? DoubleBuffer { get; set; }

    /// <summary>All of the block as elements of one type.</summary>
    public ArrayView<T> As<T>()
        where T : unmanaged => _buffer.View.BaseView.Cast<T>();

    /// <summary>The device address of a byte, for kernels that compute addresses themselves.</summary>
    public long Address(long byteOffset) => _buffer.NativePtr.ToInt64() + byteOffset;

    public override void Read(long byteOffset, Span<byte> destination)
    {
        if (destination.Length > 0)
        {
            _device.Download(Part(byteOffset, destination.Length), destination);
        }
    }

    public override void Write(long byteOffset, ReadOnlySpan<byte> source)
    {
        if (source.Length == 0)
        {
            return;
        }

        var part = Part(byteOffset, source.Length);
        if (DoubleBuffer is null || !DoubleBuffer.Copy(source, part))
        {
            _device.Upload(source, part);
        }
    }

    public override void Clear(long byteOffset, long byteCount)
    {
        if (byteCount > 0)
        {
            Part(byteOffset, byteCount).MemSetToZero(_device.Stream);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_device.IsDisposed)
        {
            _device.Stream.Synchronize();
            _buffer.Dispose();
        }
    }

    /// <summary>Bytes of the block.</summary>
    public ArrayView<byte> Part(long offset, long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + count, ByteCount);
        return _buffer.View.BaseView.SubView(offset, count);
    }
}
