using System.Reflection;

namespace SafeLlama.Kernels.Tests;

/// <summary>
/// The doctor's rounds on a GPU that is interpreted: every op as PTX, in groups of 256 threads, races watched.
/// </summary>
internal sealed class InterpretedTests
{
    [Test]
    public void Every_kernel_runs_as_a_gpu_would_run_it_and_every_op_agrees_with_reference()
    {
        var ran = new HashSet<MethodInfo>();
        foreach (var activation in new[] { DType.Float32, DType.BFloat16 })
        {
            using var interpreter = new PtxInterpreter();
            using var backend = GpuBackend.OpenInterpreted(activation, interpreter);
            foreach (var check in OpChecks.Run(backend))
            {
                TestContext.Out.WriteLine(
                    $"{activation}, {check.Name}: {check.Seen:0.0e+00}, tolerated {check.Tolerance:0.0e+00}");
                Assert.That(check.Passed, $"{activation}, {check.Name}: {check.Seen}, tolerated {check.Tolerance}");
            }

            ran.UnionWith(interpreter.Ran.Select(
                kernel => kernel.IsGenericMethod ? kernel.GetGenericMethodDefinition() : kernel));
        }

        Assert.That(
            GpuKernelList.Open.Where(kernel => !ran.Contains(kernel)).Select(GpuKernelList.NameOf), Is.Empty,
            "kernels that no check runs");
    }
}
