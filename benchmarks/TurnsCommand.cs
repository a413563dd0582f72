using System.CommandLine;

namespace SafeLlama.Benchmarks;

/// <summary>Our own step with several options, in turn, beside the first of them.</summary>
/// <remarks>The machine's moods meet all of them alike: each round runs every one once, in a process of its own.
/// </remarks>
internal static class TurnsCommand
{
    public static Command Create()
    {
        var options = new Option<string[]>("--options")
        {
            Required = true,
            AllowMultipleArgumentsPerToken = true,
            Description = "options of step; each text is one row of the table, the first what others are measured by",
        };
        var rounds = CommandOptions.One("--rounds", 5, "how often each runs");
        var command = new Command("turns", "our step with several options, in turn, as a Markdown table")
        {
            options, rounds,
        };
        command.SetAction(parsed => Run(parsed.GetValue(options)!, parsed.GetValue(rounds), Console.Out));
        return command;
    }

    private static void Run(string[] options, int rounds, TextWriter writer)
    {
        var results = options.Select(_ => new List<StepResult>()).ToList();
        for (var round = 0; round < rounds; round++)
        {
            Console.Error.WriteLine($"round {round + 1} of {rounds}");
            for (var i = 0; i < options.Length; i++)
            {
                results[i].Add(StepProgram.Own.Run(options[i]));
            }
        }

        writer.WriteLine($"{Sample.Rounds(rounds)}.\n");
        writer.WriteLine(
            "| step | CPU s/step | s/step | tokens/s | peak MB | CPU time / first | time / first | tokens/s / first |");
        writer.WriteLine("|---|---:|---:|---:|---:|---:|---:|---:|");
        for (var i = 0; i < options.Length; i++)
        {
            var (own, first) = (results[i], results[0]);
            var (cpu, wall) = (Of(own, r => r.CpuSeconds), Of(own, r => r.Seconds));
            var (cpuFirst, wallFirst) = (Of(first, r => r.CpuSeconds), Of(first, r => r.Seconds));
            writer.WriteLine(string.Join(
                " ",
                $"| `{options[i]}` | {cpu.Text("F3")} | {wall.Text("F3")}",
                $"| {Of(own, r => r.Work.Tokens / r.Seconds).Text("F1")} | {Of(own, r => r.PeakMegabytes).Text("F0")}",
                $"| {cpu.Over(cpuFirst).Text("F2")} | {wall.Over(wallFirst).Text("F2")}",
                $"| {wallFirst.Over(wall).Text("F2")} |"));
        }

        writer.Flush();
    }

    private static Sample Of(List<StepResult> results, Func<StepResult, double> value) => new(results.Select(value));
}
