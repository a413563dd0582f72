using SafeLlama.Kernels;

namespace SafeLlama.Model.Tests;

public sealed class ModelChecksTests
{
    [TestCase("cpu")]
    [TestCase("gpu, fp32")]
    [TestCase("gpu, bf16")]
    public void The_doctor_finds_a_whole_model_well(string device)
    {
        using IBackend backend = device switch
        {
            "cpu" => new CpuBackend(2),
            "gpu, fp32" => GpuBackend.OpenEmulated(DType.Float32),
            _ => GpuBackend.OpenEmulated(DType.BFloat16),
        };
        foreach (var check in ModelChecks.Run(backend))
        {
            TestContext.Out.WriteLine($"{check.Name}: {check.Seen:0.0e+00}, tolerated {check.Tolerance:0.0e+00}");
            Assert.That(check.Passed, $"{check.Name}: {check.Seen}, tolerated {check.Tolerance}");
        }
    }
}
