namespace SafeLlama.Kernels.Tests;

/// <summary>Every way of computing that this machine can test.</summary>
internal static class Backends
{
    /// <summary>The names that test fixtures run with.</summary>
    public static IEnumerable<string> All =>
        ["reference", "simd, 1 thread", "simd, 2 threads", "simd, 256 bits", "simd, 128 bits"];

    /// <summary>The CPU path alone.</summary>
    public static IEnumerable<string> Simd => All.Where(name => name.StartsWith("simd", StringComparison.Ordinal));

    /// <summary>
    /// The device kernels, emulated. Each thread of a group is a thread of the system, so sizes must be tiny: these run
    /// in
    /// <see cref="GpuTests"/>, not in every op's fixture.
    /// </summary>
    public static IEnumerable<string> Gpu => ["gpu, groups of 4", "gpu, groups of 16", "gpu, bf16"];

    public static IBackend Open(string name) => name switch
    {
        "reference" => new ReferenceBackend(),
        "simd, 1 thread" => new CpuBackend(1),
        "simd, 2 threads" => new CpuBackend(2),
        "simd, 256 bits" => new CpuBackend(2, lanes: 8),
        "simd, 128 bits" => new CpuBackend(2, lanes: 4),
        "gpu, groups of 4" => GpuBackend.OpenEmulated(DType.Float32, groupSize: 4),
        "gpu, groups of 16" => GpuBackend.OpenEmulated(DType.Float32, groupSize: 16),
        "gpu, bf16" => GpuBackend.OpenEmulated(DType.BFloat16, groupSize: 4),
        _ => throw new ArgumentException($"No backend is called '{name}'."),
    };
}
