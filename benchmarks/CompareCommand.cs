using System.CommandLine;

namespace SafeLlama.Benchmarks;

/// <summary>Ours and theirs in turn, so that all see the same machine, and a table of the medians.</summary>
/// <remarks>CPU time decides: on a shared machine wall time measures the neighbors too.</remarks>
internal static class CompareCommand
{
    public static Command Create()
    {
        var peers = new Option<string[]>("--peer")
        {
            Required = true,
            AllowMultipleArgumentsPerToken = true,
            Description = "programs that take step's options and print step's line; peers/ holds some",
        };
        var options = CommandOptions.Several(
            "--options", ["--config tiny --targets qv --threads 1 --steps 5"],
            "given to step and to every peer; several are measured one after the other");
        var ours = CommandOptions.One(
            "--ours", StepProgram.Own.Command, "our own program, where not this one: a published build's step");
        var rounds = CommandOptions.One("--rounds", 9, "how often each runs");
        var command = new Command("compare", "our step beside peers', in turn, as a Markdown table")
        {
            peers, options, ours, rounds,
        };
        command.SetAction(parsed =>
        {
            StepProgram[] programs =
                [new(parsed.GetValue(ours)!), .. parsed.GetValue(peers)!.Select(peer => new StepProgram(peer))];
            foreach (var work in parsed.GetValue(options)!)
            {
                Compare(programs, work, parsed.GetValue(rounds), Console.Out);
            }
        });
        return command;
    }

    private static void Compare(StepProgram[] programs, string options, int rounds, TextWriter writer)
    {
        var results = programs.Select(_ => new List<StepResult>()).ToList();
        for (var round = 0; round < rounds; round++)
        {
            Console.Error.WriteLine($"{options}: round {round + 1} of {rounds}");
            for (var p = 0; p < programs.Length; p++)
            {
                results[p].Add(programs[p].Run(options));
            }
        }

        writer.WriteLine($"`{options}`, {Sample.Rounds(rounds)}.\n");
        writer.WriteLine(
            "| | CPU s/step | wall s/step | tokens per CPU second | tokens/s | peak MB | CPU time / ours "
            + "| wall time / ours |");
        writer.WriteLine("|---|---:|---:|---:|---:|---:|---:|---:|");
        foreach (var own in results)
        {
            writer.WriteLine(Row(own, results[0]));
        }

        writer.WriteLine();
        if (results[0][0].Flops > 0)
        {
            var rates = Of(results[0], r => r.Flops / r.CpuSeconds / 1e9);
            writer.WriteLine(
                $"Our matrix products, {results[0][0].Flops / 1e9:F1} GFLOP a step, at {rates.Median:F1} GFLOP per CPU "
                + "second.\n");
        }

        writer.Flush();
    }

    private static string Row(List<StepResult> own, List<StepResult> ours)
    {
        var (cpu, wall) = (Of(own, r => r.CpuSeconds), Of(own, r => r.Seconds));
        var same = ReferenceEquals(own, ours);
        return string.Join(
            " ",
            $"| {own[0].Name} | {cpu.Text("F3")} | {wall.Text("F3")}",
            $"| {Of(own, r => r.Tokens / r.CpuSeconds).Median:F0}",
            $"| {Of(own, r => r.Tokens / r.Seconds).Median:F0} | {Of(own, r => r.PeakMegabytes).Median:F0}",
            $"| {(same ? "1" : cpu.Over(Of(ours, r => r.CpuSeconds)).Text("F2"))}",
            $"| {(same ? "1" : wall.Over(Of(ours, r => r.Seconds)).Text("F2"))} |");
    }

    private static Sample Of(List<StepResult> results, Func<StepResult, double> value) => new(results.Select(value));
}
