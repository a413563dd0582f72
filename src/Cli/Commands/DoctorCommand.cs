using System.CommandLine;
using System.Text.Json;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Training;

namespace SafeLlama.Cli.Commands;

/// <summary>
/// <c>doctor</c>: which devices there are, and with <c>--deep</c> whether the chosen one computes what it should.
/// </summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var deep = new Option<bool>("--deep")
        {
            Description = "Try every op and a small whole model on --device against the fp64 reference, and a resumed "
                + "run against "
                + "an unbroken one; exit code 1 if any falls short.",
        };
        var kernel = new Option<string?>("--kernel")
        {
            Description = "Print the machine code of a kernel, with comments: gemm-bf16, the tile of 12 rows by 32 "
                + "columns behind cpu:bf16.",
            HelpName = "gemm-bf16",
        };
        kernel.AcceptOnlyFromAmong("gemm-bf16");
        var (device, threads, json) = (CommonOptions.Device(), CommonOptions.Threads(), CommonOptions.Json());
        var command = new Command("doctor", "Show the devices found, and check that one computes what it should.")
        {
            deep, kernel, device, threads, json,
        };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(kernel) is not null)
            {
                return PrintKernel(parsed.GetValue(json));
            }

            var devices = DeviceReport.List();
            if (!parsed.GetValue(json))
            {
                Show(devices);
            }

            if (!parsed.GetValue(deep))
            {
                return Print(parsed.GetValue(json), new DoctorResult(devices));
            }

            using var backend = Devices.Open(parsed.GetValue(device)!, parsed.GetValue(threads));
            var checks = new List<HealthCheck>();
            if (!parsed.GetValue(json))
            {
                Console.WriteLine($"\nchecking {backend.Name} against fp64 loops");
            }

            foreach (var check in OpChecks.Run(backend)
                .Concat(ModelChecks.Run(backend)).Concat(TrainingChecks.Run(backend)))
            {
                checks.Add(check);
                if (!parsed.GetValue(json))
                {
                    Console.WriteLine(
                        $"  {(check.Passed ? "ok   " : "WRONG")} {check.Name,-32} error {check.Seen:0.0e+00}, "
                        + $"tolerated {check.Tolerance:0.0e+00} ({check.Reason})");
                }
            }

            Print(parsed.GetValue(json), new DoctorResult(devices, backend.Name, checks));
            return (int)(checks.All(check => check.Passed) ? ExitCode.Success : ExitCode.Failure);
        });
        return command;
    }

    private static int PrintKernel(bool json)
    {
        var listing = CpuBackend.BFloat16Tile;
        if (!json)
        {
            foreach (var line in listing)
            {
                Console.WriteLine(line);
            }
        }

        return Print(json, new KernelResult("gemm-bf16", 12, 32, listing));
    }

    private static int Print<T>(bool json, T result)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(result, Json.Document));
        }

        return (int)ExitCode.Success;
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
