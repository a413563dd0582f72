using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace SafeLlama.Kernels;

/// <summary>A device that was found, or the reason why none was.</summary>
/// <param name="Kind">What the device is called.</param>
/// <param name="Name">The hardware's name.</param>
/// <param name="MemoryBytes">Its own memory; 0 where it shares the host's.</param>
/// <param name="Detail">Instruction set; of a GPU the compute capability, the driver and what is known of it.</param>
/// <param name="Problem">The reason why it cannot be used, with the way out; null where it can be used.</param>
public sealed record DeviceReport(string Kind, string Name, long MemoryBytes, string Detail, string? Problem)
{
    /// <summary>All devices of this machine, usable or not.</summary>
    public static IReadOnlyList<DeviceReport> List()
    {
        using var cpu = new CpuBackend(Environment.ProcessorCount);
        var architecture = RuntimeInformation.ProcessArchitecture.ToString();
        return
        [
            new("cpu", cpu.Name, 0, architecture, Problem: null),
            new("cpu:bf16", cpu.Name, 0, $"bf16: {CpuBackend.BFloat16}", Problem: null),
            .. Cuda(),
        ];
    }

    private static List<DeviceReport> Cuda()
    {
        GpuDevice.FindDrivers();
        if (!GpuDevice.HasDriver)
        {
            return [new("cuda", "none", 0, "", "no NVIDIA driver is installed (libcuda was not found)")];
        }

        using var context = Context.Create(builder => builder.Cuda());
        CudaDevice[] found = [.. context.Devices.OfType<CudaDevice>()];
        return found.Length == 0
            ? [new("cuda", "none", 0, "", "the NVIDIA driver reports no device: check it with nvidia-smi")]
            : [.. found.Select(Describe)];
    }

    private static DeviceReport Describe(CudaDevice device, int index) => new(
        "cuda",
        device.Name,
        device.MemorySize,
        $"compute capability {device.Architecture}, CUDA driver {device.DriverVersion}; {GpuBackend.State}",
        index > 0 ? "only the first device is used: choose with CUDA_VISIBLE_DEVICES" : null);
}
