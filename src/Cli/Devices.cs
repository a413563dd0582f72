using SafeLlama.Cli.Options;
using SafeLlama.Common;
using SafeLlama.Distributed;
using SafeLlama.Kernels;

namespace SafeLlama.Cli;

/// <summary>The devices of <c>--device</c>.</summary>
internal static class Devices
{
    /// <summary>The backend of a verb that was told where to compute.</summary>
    /// <exception cref="SafeLlamaException">There is no such device.</exception>
    public static IBackend Open(IComputes where) => Open(where.Device, where.Threads);

    /// <param name="name"><c>cpu</c>, <c>cpu:bf16</c> (large products in bf16), <c>cuda</c> (fp32
    /// between ops), <c>cuda:bf16</c> (bf16, tensor cores) or <c>reference</c>.</param>
    /// <param name="threads">Threads of the cpu.</param>
    /// <param name="cublas">Whether NVIDIA's library computes the products.</param>
    /// <exception cref="SafeLlamaException">There is no such device.</exception>
    public static IBackend Open(string name, int threads, bool cublas = false)
    {
        if (threads is < 1 or > 1024)
        {
            throw SafeLlamaException.Usage($"--threads {threads}: expected 1 to 1024.");
        }

        if (cublas && name is not ("cuda" or "cuda:bf16"))
        {
            throw SafeLlamaException.Usage($"--matmul cublas: needs --device cuda or cuda:bf16, not {name}.");
        }

        var number = SharedWork.Ranks.NumberHere();      // one device for each rank of a machine
        return name switch
        {
            "cpu" => new CpuBackend(threads),
            "cpu:bf16" => new CpuBackend(threads, DType.BFloat16),
            "reference" => new ReferenceBackend(),
            "cuda" => OpenGpu(DType.Float32),
            "cuda:bf16" => OpenGpu(DType.BFloat16),
            _ => throw SafeLlamaException.Usage(
                $"--device {name}: is unknown, expected cpu, cpu:bf16, cuda, cuda:bf16 or reference."),
        };

        GpuBackend OpenGpu(DType activation)
        {
            var opened = GpuBackend.OpenCuda(activation, cublas, number);
            Console.Error.WriteLine($"--device {name}: {GpuBackend.State}.");
            return opened;
        }
    }
}
