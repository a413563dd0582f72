using System.Runtime.InteropServices;

namespace SafeLlama.Kernels;

/// <summary>The one function of NVIDIA's driver that ILGPU does not expose.</summary>
internal static partial class CudaDriver
{
    /// <summary>Work queued on a stream from now on waits for an event; the host does not.</summary>
    [LibraryImport("cuda", EntryPoint = "cuStreamWaitEvent")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static partial int StreamWaitEvent(nint stream, nint recorded, uint flags);
}
