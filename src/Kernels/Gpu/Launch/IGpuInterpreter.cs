using System.Reflection;
using ILGPU;

namespace SafeLlama.Kernels;

/// <summary>Runs kernels in the place of a GPU, on memory of the host.</summary>
internal interface IGpuInterpreter
{
    /// <summary>Memory that kernels may touch from now on.</summary>
    void Allocated(nint address, long byteCount);

    /// <summary>Runs a kernel to its end.</summary>
    /// <param name="kernel">A closed kernel method.</param>
    /// <param name="groups">Groups along x and y.</param>
    /// <param name="groupSize">Threads in a group.</param>
    /// <param name="sharedBytes">Shared memory beside what the kernel declares.</param>
    /// <param name="arguments">As the method declares them.</param>
    void Run(MethodInfo kernel, Index2D groups, int groupSize, int sharedBytes, object[] arguments);
}
