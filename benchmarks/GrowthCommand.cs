using System.CommandLine;
using SafeLlama.Kernels;

namespace SafeLlama.Benchmarks;

/// <summary>
/// The cost of a step as one size after another doubles, beside the model's own count of operations and bytes.
/// </summary>
/// <remarks>
/// Each step runs in a process of its own, whose peak memory is its own. A term that grew above its order would show as
/// an exponent above 1, or as memory beyond what the tensors take that does not stay the same.
/// </remarks>
internal static class GrowthCommand
{
    private static readonly Series[] AllSeries =
    [
        new("tokens", "sequences of 256 tokens", size => new(Batch: size), [1, 2, 4, 8, 16]),
        new("layers", "blocks; 4 × 256 tokens", size => new(Layers: size), [3, 6, 12, 24]),
        new("width", "D, and with it heads and F; 4 × 256 tokens", size => new(Width: size), [128, 256, 512, 1024]),
        new("length", "tokens of one sequence", size => new(1, size), [256, 512, 1024, 2048, 4096]),
    ];

    public static Command Create()
    {
        var series = CommandOptions.Several<string>(
            "--series", [.. AllSeries.Select(s => s.Name)], "tokens, layers, width, length");
        series.AcceptOnlyFromAmong([.. AllSeries.Select(s => s.Name)]);
        var rounds = CommandOptions.One("--rounds", 3, "processes for each size");
        var threads = CommandOptions.One("--threads", 1, "the caller's included");
        var plot = new Option<string?>("--plot")
        {
            Description = "growth.svg also draws growth-time.svg and growth-memory.svg",
        };
        var command = new Command(
            "growth", "a tiny LoRA step as tokens, layers, width and length double, as Markdown tables and charts")
        {
            series, rounds, threads, plot,
        };
        command.SetAction(parsed =>
        {
            Console.WriteLine($"{MachineStamp.Now}.\n");
            var measured = AllSeries.Where(s => parsed.GetValue(series)!.Contains(s.Name)).Select(s =>
                (s.Name, Run(s, parsed.GetValue(rounds), parsed.GetValue(threads), Console.Out))).ToList();
            if (parsed.GetValue(plot) is { } file)
            {
                var name = Path.ChangeExtension(file, null);
                GrowthChart.WriteTime($"{name}-time.svg", measured, Roofline.Measured.GigaflopsPerSecond);
                GrowthChart.WriteMemory($"{name}-memory.svg", measured);
            }
        });
        return command;
    }

    private static List<GrowthPoint> Run(Series series, int rounds, int threads, TextWriter writer)
    {
        writer.WriteLine($"**{series.Name}**: {series.Meaning}.\n");
        writer.WriteLine(
            "| size | GFLOP | CPU s/step | grows by | operations grow by | GFLOP/s | tensors MB | peak MB "
            + "| peak less tensors |");
        writer.WriteLine("|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
        var points = new List<GrowthPoint>();
        foreach (var size in series.Sizes)
        {
            points.Add(Measure(series, size, rounds, threads));
            writer.WriteLine(Row(points[^1], points.Count > 1 ? points[^2] : null));
            writer.Flush();
        }

        writer.WriteLine(
            $"\nCPU time grows as the operations to the power of {GrowthPoint.Exponent(points):F2} (least squares on "
            + $"logarithms), and of {GrowthPoint.Exponent(points[^2..]):F2} at the last doubling.\n");
        return points;
    }

    private static GrowthPoint Measure(Series series, int size, int rounds, int threads)
    {
        var s = series.Of(size);
        var options = $"--config tiny --targets all --threads {threads} --steps 3 --warmup 3 "
            + $"--batch {s.Batch} --length {s.Length} --layers {s.Layers} --width {s.Width}";

        // Drawn here, or the first run of a new shape would hold the drawn weights beside its own.
        RandomModel.Folder(ModelShapes.Tiny.Resized(s.Batch, s.Length, s.Layers, s.Width), DType.Float32);
        List<StepResult> results = [.. Enumerable.Range(0, rounds).Select(_ => StepProgram.Own.Run(options))];
        return new GrowthPoint(
            size,
            results[0].Flops,
            new Sample(results.Select(r => r.CpuSeconds)).Median,
            results[0].PlannedMegabytes,
            new Sample(results.Select(r => r.PeakMegabytes)).Median);
    }

    private static string Row(GrowthPoint p, GrowthPoint? before)
    {
        string Times(Func<GrowthPoint, double> value) =>
            before is null ? "" : $"{value(p) / value(before):F2}";
        return $"| {p.Size} | {p.Flops / 1e9:F1} | {p.CpuSeconds:F3} | {Times(x => x.CpuSeconds)} "
            + $"| {Times(x => x.Flops)} | {p.Flops / p.CpuSeconds / 1e9:F1} | {p.TensorMegabytes:F0} "
            + $"| {p.PeakMegabytes:F0} | {p.PeakMegabytes - p.TensorMegabytes:F0} |";
    }

    /// <summary>One size that doubles.</summary>
    /// <param name="Name">What <c>--series</c> calls it.</param>
    /// <param name="Meaning">What is counted.</param>
    /// <param name="Of">The step of a size.</param>
    /// <param name="Sizes">Rising.</param>
    private sealed record Series(string Name, string Meaning, Func<int, Sizes> Of, int[] Sizes);

    /// <summary>What differs from <em>tiny</em>; 0 is as there.</summary>
    private sealed record Sizes(int Batch = 4, int Length = 256, int Layers = 0, int Width = 0);
}
