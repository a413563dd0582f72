using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using SafeLlama.Common;

namespace SafeLlama.Kernels;

/// <summary>Turns an error of the driver into one line with the way out.</summary>
internal static class GpuFault
{
    private static readonly string[] MakesSmaller =
        ["use `Recompute` block", "lower `MicroBatch`", "lower `BatchSize`", "lower `MaxLength`"];

    /// <summary>Work or a copy failed: memory ran out, or the device is gone.</summary>
    public static SafeLlamaException Of(Accelerator device, AcceleratorException error) => Of(device.Name, error);

    public static SafeLlamaException Of(string device, Exception error)
    {
        var said = $"{(error as CudaException)?.Error} {error.Message}".Trim();
        return Says(said, "OUT_OF_MEMORY", "out of memory")
            ? new(
                ExitCode.DoesNotFit,
                $"{device} ran out of memory; nvidia-smi shows who else uses it.", error, MakesSmaller)
            : Says(said, "busy or unavailable")
            ? new(
                ExitCode.Usage,
                $"{device} is taken: another program holds it alone. See nvidia-smi, or choose another device with "
                + "CUDA_VISIBLE_DEVICES.",
                error)
            : SafeLlamaException.Failure(
                $"{device} failed ({said.ReplaceLineEndings(" ")}): what was queued on it is lost. Check it with "
                + "nvidia-smi.",
                error, "go on from the last checkpoint with `Resume`");
    }

    /// <summary>An allocation was refused.</summary>
    public static SafeLlamaException DoesNotFit(
        Accelerator device, string what, long byteCount, Exception error) => new(
        ExitCode.DoesNotFit,
        $"{what}: {byteCount / 1e6:F0} MB could not be allocated on {device.Name} ({device.MemorySize / 1e6:F0} MB in "
        + "all); nvidia-smi shows who else uses it.",
        error, [.. MakesSmaller, "use `Device` cuda:bf16"]);

    /// <summary>No device could be opened.</summary>
    public static SafeLlamaException None(string why, Exception? error = null) => new(
        ExitCode.Usage, $"No CUDA device found: {why}.", error, "use `Device` cpu", "check the driver with nvidia-smi");

    private static bool Says(string said, params string[] words) =>
        words.Any(word => said.Contains(word, StringComparison.OrdinalIgnoreCase));
}
