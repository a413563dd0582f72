using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace SafeLlama.Kernels.Tests;

/// <summary>The interpreter, and where there is one a GPU, do what the PTX ISA's tables say.</summary>
internal sealed class PtxVectorTests
{
    private static IEnumerable<TestCaseData<PtxVector>> Vectors =>
        PtxVectors.All.Select(vector => new TestCaseData<PtxVector>(vector).SetArgDisplayNames(vector.Name));

    [TestCaseSource(nameof(Vectors))]
    public void The_interpreter_agrees_with_the_tables(PtxVector vector)
    {
        var global = new PtxGlobal();
        var outputs = vector.Outputs(0).Length * PtxVector.Lanes;
        var (given, found) = (global.Add<uint>(vector.AllInputs), global.Add<uint>(new uint[outputs]));
        PtxMachine.Run(
            vector.Kernel(), global, (1, 1), PtxVector.Lanes, 0, seed: 1,
            PtxArguments.Number(given), PtxArguments.Number(found));
        vector.Check(global.Values<uint>(found));
    }

    /// <summary>The same texts through the driver: where hardware differs, the interpreter is wrong.</summary>
    [Category("Cuda")]
    [TestCaseSource(nameof(Vectors))]
    public unsafe void A_GPU_agrees_with_the_tables(PtxVector vector)
    {
        if (!GpuDevice.HasDriver)
        {
            Assert.Ignore("no NVIDIA driver is installed");
        }

        using var device = GpuDevice.OpenCuda();
        var outputs = vector.Outputs(0).Length * PtxVector.Lanes;
        using var given = device.Accelerator.Allocate1D(vector.AllInputs);
        using var found = device.Accelerator.Allocate1D<uint>(outputs);
        using var scope = device.Accelerator.BindScoped();
        var api = CudaAPI.CurrentAPI;
        Assert.That(api.LoadModule(out var module, vector.Kernel()), Is.EqualTo(CudaError.CUDA_SUCCESS));
        Assert.That(api.GetModuleFunction(out var function, module, "vector"), Is.EqualTo(CudaError.CUDA_SUCCESS));
        var (from, to) = (given.NativePtr, found.NativePtr);
        var arguments = stackalloc nint[] { (nint)(&from), (nint)(&to) };
        var stream = ((CudaStream)device.Stream).StreamPtr;
        device.Accelerator.Synchronize();
        Assert.That(
            api.LaunchKernel(function, 1, 1, 1, PtxVector.Lanes, 1, 1, 0, stream, (nint)arguments, 0),
            Is.EqualTo(CudaError.CUDA_SUCCESS));
        device.Accelerator.Synchronize();
        vector.Check(found.GetAsArray1D());
        Assert.That(api.DestroyModule(module), Is.EqualTo(CudaError.CUDA_SUCCESS));
    }
}
