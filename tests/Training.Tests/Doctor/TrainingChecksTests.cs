using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Training.Tests;

public sealed class TrainingChecksTests
{
    [TestCase("reference")]
    [TestCase("cpu")]
    public void The_doctor_finds_a_resumed_run_equal_to_an_unbroken_one(string device)
    {
        using var backend = ComputeBackends.Open(device);
        Check(backend);
    }

    [Test]
    [Slow("emulates a GPU for eight steps of a whole model")]
    public void So_it_does_on_an_emulated_gpu()
    {
        using var backend = GpuBackend.OpenEmulated(DType.BFloat16);
        Check(backend);
    }

    private static void Check(IBackend backend)
    {
        foreach (var check in TrainingChecks.Run(backend))
        {
            Assert.That(check.Passed, $"{check.Name}: {check.Seen}, tolerated {check.Tolerance}");
        }
    }
}
