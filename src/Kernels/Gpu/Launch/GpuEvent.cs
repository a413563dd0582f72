using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace SafeLlama.Kernels;

/// <summary>An event in a queue of work; the host or another queue can wait until the device reaches it.</summary>
/// <remarks>Emulated devices work while they are asked to, so there every mark is reached when it is made.</remarks>
internal sealed class GpuEvent : IDisposable
{
    private readonly GpuDevice _device;
    private readonly nint _handle;
    private bool _recorded;

    public GpuEvent(GpuDevice device)
    {
        _device = device;
        if (device.Accelerator is CudaAccelerator)
        {
            Check(CudaAPI.CurrentAPI.CreateEvent(out _handle, CudaEventFlags.CU_EVENT_DISABLE_TIMING));
        }
    }

    public bool IsCompleted => !_recorded || _handle == 0
        || CudaAPI.CurrentAPI.QueryEvent(_handle) != CudaError.CUDA_ERROR_NOT_READY;

    /// <summary>Marks the end of what is queued on a stream so far.</summary>
    public void Record(AcceleratorStream stream)
    {
        _recorded = true;
        if (stream is CudaStream queue)
        {
            Check(CudaAPI.CurrentAPI.RecordEvent(_handle, queue.StreamPtr));
        }
    }

    /// <summary>The host waits until the mark is reached.</summary>
    public void Wait()
    {
        if (_recorded && _handle != 0)
        {
            Check(CudaAPI.CurrentAPI.SynchronizeEvent(_handle));
        }
    }

    /// <summary>What is queued on a stream from now on waits until the mark is reached; the host goes on.</summary>
    public void WaitEvent(AcceleratorStream stream)
    {
        if (_recorded && stream is CudaStream queue)
        {
            Check((CudaError)CudaDriver.StreamWaitEvent(queue.StreamPtr, _handle, 0));
        }
    }

    public void Dispose()
    {
        if (_handle != 0)
        {
            // Nothing can be done about an event that cannot be freed; its device goes next.
            _ = CudaAPI.CurrentAPI.DestroyEvent(_handle);
        }
    }

    private void Check(CudaError error)
    {
        if (error != CudaError.CUDA_SUCCESS)
        {
            throw GpuFault.Of(_device.Accelerator, new CudaException(error));
        }
    }
}
