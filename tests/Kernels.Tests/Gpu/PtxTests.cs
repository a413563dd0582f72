using System.Collections.Concurrent;
using System.Reflection;
using System.Text.RegularExpressions;
using ILGPU.Runtime.Cuda;
using SafeLlama.Testing;

namespace SafeLlama.Kernels.Tests;

/// <summary>
/// Every kernel, in every binding, becomes PTX; where NVIDIA's assembler is at hand, that PTX becomes machine code.
/// </summary>
/// <remarks>
/// The list comes from reflection and nothing outside it can be launched, so a new kernel cannot be forgotten.
/// </remarks>
internal sealed partial class PtxTests
{
    private static IEnumerable<CudaArchitecture> Architectures => [CudaArchitecture.SM_80, CudaArchitecture.SM_90];

    [TestCaseSource(nameof(Architectures))]
    public void Every_kernel_compiles_and_calls_only_what_it_defines(CudaArchitecture architecture)
    {
        using var compiler = new PtxCompiler(architecture);
        var kernels = GpuKernelList.Closed.ToList();
        Assert.That(kernels, Has.Count.GreaterThan(20));
        foreach (var kernel in kernels)
        {
            var ptx = compiler.Compile(kernel);
            var defined = Functions().Matches(ptx).Select(match => match.Groups[1].Value).ToHashSet();
            var called = Calls().Matches(ptx).Select(match => match.Groups[1].Value);
            Assert.That(called.Where(name => !defined.Contains(name)), Is.Empty, GpuKernelList.NameOf(kernel));
        }
    }

    [Test]
    public void Every_kernel_assembles_for_sm_90_without_spills() => Assemble(CudaArchitecture.SM_90, "sm_90");

    [Test]
    [Slow("assembles every kernel once more")]
    public void Every_kernel_assembles_for_sm_80_without_spills() => Assemble(CudaArchitecture.SM_80, "sm_80");

    [Test]
    public void A_method_that_is_no_kernel_cannot_be_launched() =>
        Assert.That(() => GpuKernelList.Find(typeof(GroupReduce), "Max"), Throws.ArgumentException);

    /// <summary>Assembles all, and writes the table of costs where <c>SAFELLAMA_PTX_TABLE</c> names a folder.</summary>
    private static void Assemble(CudaArchitecture architecture, string name)
    {
        if (Ptxas.Path is null)
        {
            Assert.Ignore("ptxas is not installed: set SAFELLAMA_PTXAS to its path, or see benchmarks/results/ptx");
        }

        using var compiler = new PtxCompiler(architecture);
        var texts = GpuKernelList.Closed.Select(kernel => (Kernel: kernel, Ptx: compiler.Compile(kernel))).ToList();
        var costs = new ConcurrentDictionary<MethodInfo, KernelCost>();
        Parallel.ForEach(texts, text => costs[text.Kernel] = Ptxas.Assemble(text.Ptx, name));
        if (Environment.GetEnvironmentVariable("SAFELLAMA_PTX_TABLE") is { Length: > 0 } folder)
        {
            Directory.CreateDirectory(folder);
            File.WriteAllLines(Path.Combine(folder, name + ".md"), Table(costs, name));
        }

        foreach (var (kernel, cost) in costs)
        {
            Assert.That(cost.Spills, Is.Zero, $"{GpuKernelList.NameOf(kernel)} spills registers");
            Assert.That(cost.Stack, Is.AtMost(16), $"{GpuKernelList.NameOf(kernel)} keeps values on a stack");
        }
    }

    private static IEnumerable<string> Table(IReadOnlyDictionary<MethodInfo, KernelCost> costs, string name) =>
    [
        $"# Kernels assembled for {name}",
        "",
        "Counted by ptxas, per thread (registers, stack, spills) and per group (shared memory declared), in bytes.",
        "Tensor-core kernels ask for more shared memory at launch: products 49152, attention 19456 (heads of 64) to "
        + "35840 (128).",
        "",
        "| kernel | registers | stack | spills | shared |",
        "|---|--:|--:|--:|--:|",
        .. costs.Select(c => $"| {GpuKernelList.NameOf(c.Key)} | {c.Value.Registers} | {c.Value.Stack} | "
            + $"{c.Value.Spills} | {c.Value.Shared} |")
            .Order(StringComparer.Ordinal),
    ];

    [GeneratedRegex(@"^\s*\.(?:visible )?\.?func[^;{]*?(\w+)\s*\(", RegexOptions.Multiline)]
    private static partial Regex Functions();

    [GeneratedRegex(@"\bcall(?:\.uni)?\s+(?:\([^)]*\),\s*)?(\w+)")]
    private static partial Regex Calls();
}
