using System.CommandLine;
using SafeLlama.Cli.Options;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Training;

namespace SafeLlama.Cli.Commands;

/// <summary><c>doctor</c>: lists devices, and with <c>--deep</c> checks the results of the chosen one.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var options = new DoctorOptions();
        return options.Verb("doctor", "Show the devices found, and check that one computes what it should.",
            (asked, parsed) =>
            {
                if (!asked.Deep)
                {
                    options.Refuse(parsed, "without --deep", nameof(asked.Device), nameof(asked.Threads));
                }

                if (asked.Kernel is null)
                {
                    return Run(asked);
                }

                options.Refuse(parsed, "with --kernel", nameof(asked.Deep));
                return PrintKernel(asked.Json);
            });
    }

    private static ExitCode Run(DoctorOptions.Request asked)
    {
        var devices = DeviceReport.List();
        if (!asked.Json)
        {
            Show(devices);
        }

        if (!asked.Deep)
        {
            return Print(asked.Json, new DoctorResult(devices));
        }

        using var backend = Devices.Open(asked);
        var checks = new List<HealthCheck>();
        if (!asked.Json)
        {
            Console.WriteLine($"\nchecking {backend.Name} against fp64 loops");
        }

        foreach (var check in OpChecks.Run(backend)
            .Concat(ModelChecks.Run(backend)).Concat(TrainingChecks.Run(backend)))
        {
            checks.Add(check);
            if (!asked.Json)
            {
                Console.WriteLine(
                    $"  {(check.Passed ? "ok   " : "WRONG")} {check.Name,-32} error {check.Seen:0.0e+00}, "
                    + $"tolerated {check.Tolerance:0.0e+00} ({check.Reason})");
            }
        }

        var passed = checks.Count(check => check.Passed);
        if (!asked.Json)
        {
            Console.WriteLine($"{passed} of {checks.Count} passed");
        }

        Print(asked.Json, new DoctorResult(devices, backend.Name, checks));
        return passed == checks.Count ? ExitCode.Success : ExitCode.Failure;
    }

    private static ExitCode PrintKernel(bool json)
    {
        var listing = CpuBackend.BFloat16Tile;
        if (!json)
        {
            Terminal.Print(listing);
        }

        return Print(json, new KernelResult("gemm-bf16", 12, 32, listing));
    }

    private static ExitCode Print<T>(bool json, T result)
    {
        if (json)
        {
            Terminal.PrintDocument(result);
        }

        return ExitCode.Success;
    }

    private static void Show(IReadOnlyList<DeviceReport> devices)
    {
        foreach (var device in devices)
        {
            var memory = device.MemoryBytes > 0 ? $", {device.MemoryBytes / 1e9:F0} GB" : "";
            Console.WriteLine(device.Problem is null
                ? $"{device.Kind}: {device.Name}{memory}, {device.Detail}"
                : $"{device.Kind}: {device.Name}{memory}: not usable, {device.Problem}");
        }
    }
}
