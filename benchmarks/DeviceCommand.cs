using System.CommandLine;
using System.Diagnostics;
using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Benchmarks;

/// <summary>
/// <c>device</c>: every op of a training step on one device, beside that device's own copy bandwidth.
/// </summary>
internal static class DeviceCommand
{
    /// <summary>Runs of a case before it is timed; the first compiles its kernels.</summary>
    private const int Warmup = 3;

    public static Command Create()
    {
        var device = CommandOptions.One("--device", "cuda:bf16", "cpu, cuda or cuda:bf16");
        var config = CommandOptions.One("--config", "llama-7b", "the model whose shapes are taken");
        var batch = CommandOptions.One("--batch", 0, "sequences; 0 is the config's own");
        var length = CommandOptions.One("--length", 0, "tokens of a sequence; 0 is the config's own");
        var command = new Command("device", "the ops of a training step on a device, as a table in Markdown")
        {
            device, config, batch, length,
        };
        command.SetAction(parsed =>
        {
            var shape = ModelShapes.ByName(parsed.GetValue(config)!)
                .Resized(parsed.GetValue(batch), parsed.GetValue(length), 0, 0);
            using var backend = StepBenchmark.Open(parsed.GetValue(device)!, threads: Environment.ProcessorCount);
            Print(backend, shape, Console.Out);
            return 0;
        });
        return command;
    }

    private static void Print(IBackend backend, ModelShape shape, TextWriter writer)
    {
        writer.WriteLine($"{MachineStamp.Now}.\n");
        writer.WriteLine($"{backend.Name}, shapes of {shape.Name}, {shape.Batch} × {shape.Length} tokens\n");
        writer.WriteLine("| op | µs | GB/s | of copying | TFLOP/s |\n|---|--:|--:|--:|--:|");
        using var cases = new DeviceCases(backend, shape);
        var copying = 0.0;
        foreach (var one in cases.All())
        {
            var seconds = Time(backend, one.Run);
            var (bytes, flops) = (one.Work.Bytes / seconds / 1e9, one.Work.Flops / seconds / 1e12);
            copying = copying == 0 ? bytes : copying;
            var moved = bytes > 0 ? $"{bytes:F0} | {Percent.Of(bytes / copying, "0")}" : " | ";
            writer.WriteLine($"| {one.Name} | {seconds * 1e6:F1} | {moved} | {(flops > 0 ? $"{flops:F2}" : "")} |");
        }
    }

    /// <summary>
    /// Seconds of one run in a queue of many: the median of five queues, each a tenth of a second or so.
    /// </summary>
    private static double Time(IBackend backend, Action run)
    {
        for (var i = 0; i < Warmup; i++)
        {
            run();
        }

        var count = (int)Math.Clamp(0.1 / Queue(backend, run, 1), 1, 1000);
        var seconds = Enumerable.Range(0, 5).Select(_ => Queue(backend, run, count) / count).Order().ToList();
        return seconds[2];
    }

    private static double Queue(IBackend backend, Action run, int count)
    {
        backend.Synchronize();
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < count; i++)
        {
            run();
        }

        backend.Synchronize();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
