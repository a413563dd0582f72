using SafeLlama.Kernels;

namespace SafeLlama.Testing;

/// <summary>The backends that a whole model is tested on.</summary>
public static class ComputeBackends
{
    private const string Brain = "cuda:bf16";
    private const string BrainWeights = "cuda:bf16, weights too";

    /// <summary>
    /// With <c>SAFELLAMA_CUDA=1</c> the first CUDA device too: fp32 between ops, bf16, and bf16 with the checkpoint's
    /// weights rounded, as tensor cores take them.
    /// </summary>
    public static IReadOnlyList<string> All { get; } = Environment.GetEnvironmentVariable("SAFELLAMA_CUDA") == "1"
        ? ["reference", "cpu", "cuda", Brain, BrainWeights] : ["reference", "cpu"];

    public static IBackend Open(string name) => name switch
    {
        "reference" => new ReferenceBackend(),
        "cuda" => GpuBackend.OpenCuda(DType.Float32),
        Brain or BrainWeights => GpuBackend.OpenCuda(DType.BFloat16),
        "cpu" => new CpuBackend(2),
        _ => throw new ArgumentException($"no backend is called {name}"),
    };

    /// <summary>What a backend rounds where the reference stack has fp32.</summary>
    public static Rounding RoundingOf(string name) => name switch
    {
        Brain => Rounding.Activations,
        BrainWeights => Rounding.ActivationsAndWeights,
        _ => Rounding.Nothing,
    };
}
