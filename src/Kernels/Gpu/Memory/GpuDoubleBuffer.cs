using ILGPU;
using ILGPU.Runtime;

namespace SafeLlama.Kernels;

/// <summary>A double buffer whose copies run on a stream of their own, during the work on the previous block.</summary>
/// <remarks>
/// A copy into a block waits for the work that was queued when the block was left, which is all that reads it; work
/// queued after a copy waits for the copy. Once work has been queued since the turn, it may read the block: further
/// writes then queue behind it, as everywhere else.
/// </remarks>
internal sealed class GpuDoubleBuffer : DoubleBuffer
{
    public const int StagingBytes = 1 << 20;

    private readonly GpuDevice _device;
    private readonly AcceleratorStream _copies;
    private readonly GpuStaging _staging;
    private readonly GpuEvent[] _left;
    private readonly GpuEvent _arrived;
    private long _launchesAtTurn = -1;

    public static GpuDoubleBuffer Allocate(GpuDevice device, long byteCount, string what) =>
        new(device, new(device, byteCount, what), new(device, byteCount, what));

    private GpuDoubleBuffer(GpuDevice device, GpuMemory first, GpuMemory second)
        : base(first, second)
    {
        _device = device;
        _copies = device.Accelerator.CreateStream();
        _staging = new GpuStaging(device, _copies, StagingBytes);
        (_left, _arrived) = ([new(device), new(device)], new(device));
        foreach (var (block, left) in ((GpuMemory[])[first, second]).Zip(_left))
        {
            block.DoubleBuffer = this;
            left.Record(device.Stream);     // behind the zeros that a new block is filled with
        }
    }

    /// <summary>Queues a copy parallel to the work; false where it must follow the work.</summary>
    public bool Copy(ReadOnlySpan<byte> source, ArrayView<byte> target)
    {
        if (_device.Launches != _launchesAtTurn || source.Length > _staging.MaxBytes)
        {
            return false;
        }

        _staging.Copy(source, target);
        _arrived.Record(_copies);
        _arrived.WaitEvent(_device.Stream);
        return true;
    }

    protected override void Swapped(bool toSecond)
    {
        _left[toSecond ? 0 : 1].Record(_device.Stream);
        _left[toSecond ? 1 : 0].WaitEvent(_copies);
        _launchesAtTurn = _device.Launches;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_device.IsDisposed)
        {
            _staging.Dispose();
            Array.ForEach(_left, e => e.Dispose());
            _arrived.Dispose();
            _copies.Dispose();
        }

        base.Dispose(disposing);
    }
}
