using System.CommandLine;
using SafeLlama.Kernels;

namespace SafeLlama.Benchmarks;

/// <summary>
/// Greedy generation beside its limit: every token must read every weight once, and memory gives so many bytes a
/// second.
/// </summary>
/// <remarks>
/// The limit is measured between the generations, not before them, so that a busy machine slows both. Time is CPU time
/// a thread; where threads wait for each other it counts as well.
/// </remarks>
internal static class DecodeCommand
{
    /// <summary>Far more than the last cache holds.</summary>
    private const long ReadBytes = 512L << 20;

    public static Command Create()
    {
        var config = CommandOptions.One("--config", "small", "tiny, small or gqa");
        var threads = CommandOptions.Several("--threads", [1, 2], "each is measured");
        var batches = CommandOptions.Several("--batch", [1, 4, 8], "sequences side by side; each is measured");
        var generated = CommandOptions.One("--gen", 64, "tokens of one generation");
        var rounds = CommandOptions.One("--rounds", 9, "generations of each");
        var device = CommandOptions.One("--device", OpBenchmark.Host, "cpu or cpu:bf16");
        device.AcceptOnlyFromAmong(OpBenchmark.Host, OpBenchmark.HostNarrow);
        var peer = new Option<string?>("--peer")
        {
            Description = "a program that takes step's options with --mode decode; measured in turn, batch 1",
        };
        var command = new Command("decode", "greedy decoding beside the read bandwidth of memory, as a Markdown table")
        {
            config, device, threads, batches, generated, rounds, peer,
        };
        command.SetAction(parsed => Run(
            ModelShapes.ByName(parsed.GetValue(config)!), parsed.GetValue(device)!, parsed.GetValue(threads)!,
            parsed.GetValue(batches)!,
            parsed.GetValue(generated), parsed.GetValue(rounds), parsed.GetValue(peer), Console.Out));
        return command;
    }

    private static void Run(
        ModelShape shape, string device, int[] threads, int[] batches, int generated, int rounds, string? peer,
        TextWriter writer)
    {
        writer.WriteLine($"{MachineStamp.Now}.\n");
        writer.WriteLine($"*{shape.Name}*, {device}, {generated} tokens, {Sample.Rounds(rounds)}.\n");
        writer.WriteLine(
            "| weights | threads | batch | tokens/s | tokens per CPU second of a thread | GB/s of weights "
            + "| of the read limit | GFLOP/s |");
        writer.WriteLine("|---|---:|---:|---:|---:|---:|---:|---:|");
        using var memory = new MemoryRead(ReadBytes);
        foreach (var count in threads)
        {
            var limit = new Sample();
            List<DecodeCase> cases = [.. new[] { DType.Float32, DType.BFloat16 }.SelectMany(
                type => batches.Select(batch => (DecodeCase)new OwnDecodeCase(
                    shape, type, StepBenchmark.Open(device, count), (count, batch), generated)))];
            if (peer is not null)
            {
                cases.Add(new PeerDecodeCase(new StepProgram(peer), shape, count, generated));
            }

            foreach (var each in cases)
            {
                each.WarmUp();
            }

            for (var round = 0; round < rounds; round++)
            {
                limit.Add(memory.Rate(count));
                foreach (var each in cases)
                {
                    each.Measure();
                }
            }

            writer.WriteLine($"| reading {ReadBytes >> 20} MB | {count} | | | | {limit.Text("F1")} | 100% | |");
            foreach (var each in cases)
            {
                writer.WriteLine(each.Row(limit));
                each.Dispose();
            }
        }

        writer.Flush();
    }
}
