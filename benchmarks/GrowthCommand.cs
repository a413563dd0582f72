using System.CommandLine;
using System.Globalization;

namespace SafeLlama.Benchmarks;

/// <summary>The cost of a step as one size after another doubles, beside the model's own count of operations and bytes.</summary>
/// <remarks>
/// Each step runs in a process of its own, whose peak memory is its own. A term that grew above its order would show as a
/// rate that falls, or as memory beyond what the tensors take that does not stay the same.
/// </remarks>
internal static class GrowthCommand
{
    private static readonly Series[] AllSeries =
    [
        new("tokens", "sequences of 256 tokens", "--batch {0} --length 256", [1, 2, 4, 8, 16]),
        new("layers", "blocks; 4 × 256 tokens", "--layers {0} --batch 4 --length 256", [3, 6, 12, 24]),
        new("width", "D, and with it heads and F; 4 × 256 tokens", "--width {0} --batch 4 --length 256", [128, 256, 512, 1024]),
        new("length", "tokens of one sequence", "--length {0} --batch 1", [256, 512, 1024, 2048, 4096]),
    ];

    public static Command Create()
    {
        var series = new Option<string[]>("--series") { AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [.. AllSeries.Select(s => s.Name)], Description = "tokens, layers, width, length" };
        series.AcceptOnlyFromAmong([.. AllSeries.Select(s => s.Name)]);
        var rounds = new Option<int>("--rounds") { DefaultValueFactory = _ => 3, Description = "processes for each size" };
        var threads = new Option<int>("--threads") { DefaultValueFactory = _ => 1, Description = "the caller's included" };
        var command = new Command("growth", "a tiny LoRA step as tokens, layers, width and length double, as Markdown tables") { series, rounds, threads };
        command.SetAction(parsed =>
        {
            foreach (var each in AllSeries.Where(s => parsed.GetValue(series)!.Contains(s.Name)))
            {
                Run(each, parsed.GetValue(rounds), parsed.GetValue(threads), Console.Out);
            }
        });
        return command;
    }

    private static void Run(Series series, int rounds, int threads, TextWriter writer)
    {
        writer.WriteLine($"**{series.Name}**: {series.Meaning}.\n");
        writer.WriteLine("| size | GFLOP | CPU s/step | grows by | operations grow by | GFLOP/s | tensors MB | peak MB | peak less tensors |");
        writer.WriteLine("|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
        (double Cpu, double Flops)? before = null;
        foreach (var size in series.Sizes)
        {
            var options = string.Create(CultureInfo.InvariantCulture, $"--config tiny --targets all --threads {threads} --steps 3 --warmup 3 ")
                + string.Format(CultureInfo.InvariantCulture, series.Options, size);
            List<StepResult> results = [.. Enumerable.Range(0, rounds).Select(_ => StepProgram.Own.Run(options))];
            var cpu = new Sample(results.Select(r => r.CpuSeconds));
            var (flops, tensors, peak) = (results[0].Flops, results[0].PlannedMegabytes, new Sample(results.Select(r => r.PeakMegabytes)).Median);
            string Times(double now, double then) => before is null ? "" : string.Create(CultureInfo.InvariantCulture, $"{now / then:F2}");
            writer.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {size} | {flops / 1e9:F1} | {cpu.Median:F3} | {Times(cpu.Median, before?.Cpu ?? 1)} | {Times(flops, before?.Flops ?? 1)} | {flops / cpu.Median / 1e9:F1} | {tensors:F0} | {peak:F0} | {peak - tensors:F0} |"));
            writer.Flush();
            before = (cpu.Median, flops);
        }

        writer.WriteLine();
    }

    /// <summary>One size that doubles.</summary>
    /// <param name="Name">What <c>--series</c> calls it.</param>
    /// <param name="Meaning">What is counted.</param>
    /// <param name="Options">Of step; {0} is the size.</param>
    /// <param name="Sizes">Rising.</param>
    private sealed record Series(string Name, string Meaning, string Options, int[] Sizes);
}
