using System.Runtime.InteropServices;
using System.Security.Cryptography;
using SafeLlama.Kernels;

namespace SafeLlama.Training.Tests;

/// <summary>The order in which a step adds in fp32, which decides the last bits of everything that is trained.</summary>
public sealed class ArithmeticTests
{
    /// <summary>
    /// A change here is no fault, but it makes other bases and adapters from the same seeds: say in
    /// <c>docs/results/configurations.md</c> what changed and which shipped and published bytes are of before.
    /// </summary>
    [Test]
    public void Training_in_fp32_gives_the_bytes_that_it_gave()
    {
        var expected = CpuBackend.InstructionSet switch
        {
            "AVX-512" => "ffec48e8a4873baf0573525f755ba8e2d05a8e08410d72c5ff0f36a948656be1",
            "AVX2" => "e9a96734d059f0b5919e4e8b17d762704a1f10395c429e69127281e66a432b23",
            var other => Ignored(other),
        };
        using var backend = new CpuBackend(1);
        using var run = new TinyRun(backend);
        using var training = new TrainingRun(
            run.Model, TinyRun.Config, new TrainingData(TinyRun.Rows(8), [.. TinyRun.Rows(12).Skip(8)], []),
            Testing.TestFiles.NewFolder(), "base", NoView.Instance);
        training.Run(CancellationToken.None);
        var values = Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes<double>(run.Values())));
        Assert.That(values, Is.EqualTo(expected));
    }

    private static string Ignored(string vectors)
    {
        Assert.Ignore($"Bytes are known of AVX-512 and AVX2; this machine has {vectors}.");
        return "";
    }
}
