using System.Reflection;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;

namespace SafeLlama.Kernels;

/// <summary>Compiles a kernel to PTX without a GPU, as a driver would receive it.</summary>
internal sealed class PtxCompiler : IDisposable
{
    private readonly Context _context;
    private readonly PTXBackend _backend;

    public PtxCompiler(CudaArchitecture architecture)
    {
        _context = Context.Create(builder => GpuDevice.Configure(builder.DefaultCPU()));
        _backend = new PTXBackend(
            _context, new CudaCapabilityContext(architecture), architecture, CudaInstructionSet.ISA_84, nvvmAPI: null);
    }

    public string Compile(MethodInfo kernel)
    {
        var threads = GpuKernelList.ThreadsOf(kernel) ?? GroupReduce.MaxGroupSize;
        var entry = EntryPointDescription.FromExplicitlyGroupedKernel(kernel);
        var compiled = _backend.Compile(entry, new KernelSpecialization(threads, null));
        return ((PTXCompiledKernel)compiled).PTXAssembly;
    }

    public void Dispose()
    {
        _backend.Dispose();
        _context.Dispose();
    }
}
