using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using SafeLlama.Common;

namespace SafeLlama.Benchmarks;

/// <summary>Ranks beside threads on this machine, and a model of many machines by what was measured.</summary>
internal static class RanksCommand
{
    private static readonly (int Ranks, int Threads)[] Setups = [(1, 1), (1, 2), (2, 1)];

    private static readonly (string Name, double Flops)[] Machines = [("1 TFLOP/s", 1e12), ("100 TFLOP/s", 1e14)];

    public static Command Create()
    {
        var launcher = CommandOptions.One(
            "--launcher", "mpirun --bind-to none", "starts ranks; -n and their number follow");
        var options = CommandOptions.One("--options", "--config small --steps 5", "given to every rank");
        var rounds = CommandOptions.One("--rounds", 5, "how often each setup runs");
        var plot = new Option<string?>("--plot") { Description = "ranks.svg draws the model" };
        var command = new Command(
            "ranks", "2 ranks of 1 thread beside 1 rank of 2 and of 1; then 8 to 512 ranks on 10 and 100 Gb/s")
        {
            launcher, options, rounds, plot,
        };
        command.SetAction(parsed =>
        {
            Console.WriteLine($"{MachineStamp.Now}.\n");
            var both = Measure(
                parsed.GetValue(launcher)!, parsed.GetValue(options)!, parsed.GetValue(rounds));
            var models = Models(both);
            Print(models);
            if (parsed.GetValue(plot) is { } file)
            {
                RanksChart.Write(file, models);
            }
        });
        return command;
    }

    /// <returns>The last result of two ranks, with the medians of all rounds.</returns>
    private static RanksResult Measure(string launcher, string options, int rounds)
    {
        var results = Setups.ToDictionary(setup => setup, _ => new List<RanksResult>());
        for (var round = 0; round < rounds; round++)
        {
            foreach (var setup in Setups)
            {
                results[setup].Add(Run(setup.Ranks == 1 ? "" : $"{launcher} -n {setup.Ranks}",
                    $"{options} --threads {setup.Threads}"));
            }
        }

        Console.WriteLine($"`{launcher}`, `{options}`, {Sample.Rounds(rounds)}.\n");
        Console.WriteLine(
            "| ranks | threads of each | s/step | times as fast as 1 × 1 | sum over ranks, ms | its share |");
        Console.WriteLine("|---:|---:|---:|---:|---:|---:|");
        var alone = new Sample(results[Setups[0]].Select(r => r.StepSeconds));
        foreach (var setup in Setups)
        {
            var (step, sum) = (new Sample(results[setup].Select(r => r.StepSeconds)),
                new Sample(results[setup].Select(r => r.SumSeconds)));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {setup.Ranks} | {setup.Threads} | {step.Text("F3")} | {alone.Over(step).Text("F2")} "
                + $"| {1e3 * sum.Median:F2} | {100 * sum.Median / step.Median:F2}% |"));
        }

        var last = results[Setups[^1]];
        var both = last[^1] with
        {
            Latency = new Sample(last.Select(r => r.Latency)).Median,
            Bandwidth = new Sample(last.Select(r => r.Bandwidth)).Median,
            SumSeconds = new Sample(last.Select(r => r.SumSeconds)).Median,
        };
        var ratio = new Sample(results[Setups[1]].Select(r => r.StepSeconds))
            .Over(new Sample(last.Select(r => r.StepSeconds)));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"\nTwo ranks are {ratio.Text("F2")} times as fast as two threads. A message takes "
            + $"{1e6 * both.Latency:F1} µs, and {both.Bandwidth / 1e9:F2} GB/s go through; a step's gradients have "
            + $"{both.GradientBytes / 1e6:F2} MB.\n"));
        return both;
    }

    private static RanksResult Run(string launcher, string options)
    {
        var words = $"{launcher} {StepProgram.Own.Command[..^"step".Length]} ranks-step {options}"
            .Split(' ', StringSplitOptions.RemoveEmptyEntries);
        using var process = Process.Start(
            new ProcessStartInfo(words[0], words[1..]) { RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        var line = output.Split('\n').LastOrDefault(line => line.Contains('{'))
            ?? throw SafeLlamaException.Usage($"{string.Join(' ', words)}: printed no result.");
        return JsonSerializer.Deserialize<RanksResult>(line[line.IndexOf('{')..], Json.Line)!;
    }

    /// <summary>512 micro-batches of 7B a step, on machines of two speeds and links of two.</summary>
    private static List<(string Name, RanksModel Model)> Models(RanksResult measured)
    {
        // Up and down once: what is not the message itself is packing and adding.
        var message = measured.Latency + (measured.GradientBytes / measured.Bandwidth);
        var host = 2 * measured.GradientBytes / Math.Max(1e-6, measured.SumSeconds - (2 * message));
        return
        [
            .. from machine in Machines
               from gigabits in new[] { 10, 100 }
               select ($"{machine.Name}, {gigabits} Gb/s", new RanksModel(
                   512, RanksModel.Flops7B / machine.Flops, RanksModel.Gradient7B, measured.Latency, gigabits * 1e9 / 8,
                   host)),
        ];
    }

    private static void Print(List<(string Name, RanksModel Model)> models)
    {
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"**Model**: r = 8 on q and v of 7B ({RanksModel.Gradient7B / 1e6:F1} MB), 512 micro-batches of 512 tokens "
            + $"a step, the latency above, {models[0].Model.Host / 1e9:F1} GB/s of packing and adding.\n"));
        Console.WriteLine("| each rank | ranks | s/step | sum over ranks, ms | efficiency |");
        Console.WriteLine("|---|---:|---:|---:|---:|");
        foreach (var (name, model) in models)
        {
            foreach (var ranks in new[] { 8, 64, 512 })
            {
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {name} | {ranks} | {model.StepSeconds(ranks):F2} | {1e3 * model.SumSeconds(ranks):F1} "
                    + $"| {100 * model.Efficiency(ranks):F1}% |"));
            }
        }

        Console.WriteLine();
        foreach (var (name, model) in models)
        {
            Console.WriteLine(model.StopsPayingAt() is { } ranks && ranks <= model.MicroBatches
                ? $"- {name}: from {ranks / 2} to {ranks} ranks a step gets less than a tenth faster."
                : $"- {name}: doubling pays up to {model.MicroBatches} ranks, which have a micro-batch each.");
        }
    }
}
