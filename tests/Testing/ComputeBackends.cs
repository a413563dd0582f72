using SafeLlama.Kernels;

namespace SafeLlama.Testing;

/// <summary>The backends that a whole model is tested on.</summary>
public static class ComputeBackends
{
    /// <summary>With <c>SAFELLAMA_CUDA=1</c> the first CUDA device too, fp32 between ops.</summary>
    public static IReadOnlyList<string> All { get; } =
        Environment.GetEnvironmentVariable("SAFELLAMA_CUDA") == "1" ? ["reference", "cpu", "cuda"] : ["reference", "cpu"];

    public static IBackend Open(string name) => name switch
    {
        "reference" => new ReferenceBackend(),
        "cuda" => GpuBackend.OpenCuda(DType.Float32),
        _ => new SimdBackend(2),
    };
}
