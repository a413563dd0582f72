using System.CommandLine;
using System.Globalization;
using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Benchmarks;

/// <summary>Ours and theirs in turn, so that all see the same machine, and a table of the medians.</summary>
/// <remarks>CPU time decides: on a shared machine wall time measures the neighbors too.</remarks>
internal static class CompareCommand
{
    /// <summary>By how much two measurements of one limit may differ.</summary>
    private const double Slack = 1.15;

    /// <summary>The mean of the processor time may lie above the median of the wall time, but not by so much.</summary>
    private const double Spread = 2;

    /// <summary>Measured when a result is first looked at, in a quarter of a second.</summary>
    private static readonly Lazy<Roofline> Limit = new(Roofline.Glance);

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
            Console.WriteLine($"{MachineStamp.Now}.\n");
            foreach (var work in parsed.GetValue(options)!)
            {
                Compare(programs, work, parsed.GetValue(rounds), Console.Out);
            }
        });
        return command;
    }

    private static void Compare(StepProgram[] programs, string options, int rounds, TextWriter writer)
    {
        var onDevice = options.Contains("cuda", StringComparison.Ordinal);
        var results = programs.Select(_ => new List<StepResult>()).ToList();
        for (var round = 0; round < rounds; round++)
        {
            Console.Error.WriteLine($"{options}: round {round + 1} of {rounds}");
            for (var p = 0; p < programs.Length; p++)
            {
                var result = programs[p].Run(options);
                Plausible(
                    result, programs[p], p == 0 ? result : results[0][0], onDevice ? null : Limit.Value);
                results[p].Add(result);
            }
        }

        foreach (var (own, program) in results.Zip(programs))
        {
            Measured(own, program);
        }

        writer.WriteLine($"`{options}`, {Sample.Rounds(rounds)}.\n");
        writer.WriteLine(
            "| | loss | CPU s/step | wall s/step | tokens per CPU second | tokens/s | peak MB | CPU time / ours "
            + "| wall time / ours |");
        writer.WriteLine("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
        foreach (var own in results)
        {
            writer.WriteLine(Row(own, results[0]));
        }

        writer.WriteLine();
        if (results[0][0].Flops > 0)
        {
            var rate = results[0][0].Flops / Of(results[0], r => r.CpuSeconds).Median / 1e9;
            writer.WriteLine(
                $"Our matrix products, {results[0][0].Flops / 1e9:F1} GFLOP a step, at {rate:F1} GFLOP per CPU "
                + "second.\n");
        }

        writer.Flush();
    }

    /// <summary>
    /// A time enters a table only if it is the time of the same work, and one that the core can reach.
    /// </summary>
    /// <param name="result">One run.</param>
    /// <param name="program">Which printed it.</param>
    /// <param name="ours">One of our own runs; it counts the operations that the work takes.</param>
    /// <param name="limit">Of one core; null where another device multiplies.</param>
    /// <exception cref="SafeLlamaException">It is not.</exception>
    internal static void Plausible(StepResult result, StepProgram program, StepResult ours, Roofline? limit)
    {
        if (result.Work != ours.Work)
        {
            throw SafeLlamaException.InvalidData(
                $"{program.Command}: did other work: {result.Work}, expected {ours.Work}.");
        }

        if (result.Loss is { } loss && !double.IsFinite(loss))
        {
            throw SafeLlamaException.InvalidData($"{program.Command}: loss_last is {loss}, expected a finite number.");
        }

        if (result.CpuSeconds > Spread * result.Seconds * result.Work.Threads)
        {
            throw SafeLlamaException.InvalidData(
                $"{program.Command}: cpu_s_per_step is {result.CpuSeconds:G4} and s_per_step_median "
                + $"{result.Seconds:G4}: {result.Work.Threads} "
                + $"{(result.Work.Threads == 1 ? "thread" : "threads")} cannot work longer than the clock runs.");
        }

        if (limit is null)
        {
            return;
        }

        var narrow = result.Arithmetic.Contains("bf16", StringComparison.Ordinal);
        var most = Slack * limit.GigaflopsPerSecond * (narrow ? 2 : 1);
        var rate = ours.Flops / result.CpuSeconds / 1e9;
        if (rate > most)
        {
            throw SafeLlamaException.InvalidData(
                $"{program.Command}: cpu_s_per_step is {result.CpuSeconds:G4}, which would be {rate:F0} GFLOP a second "
                + $"of one core; the multiply-adds of this machine reach {limit.GigaflopsPerSecond:F0}"
                + $"{(narrow ? ", twice that in bf16" : "")}.");
        }
    }

    /// <summary>Times that a clock measured differ from round to round, at least in their last digit.</summary>
    /// <param name="rounds">What one program printed.</param>
    /// <param name="program">Which.</param>
    /// <exception cref="SafeLlamaException">They are the same in three rounds or more.</exception>
    internal static void Measured(IReadOnlyList<StepResult> rounds, StepProgram program)
    {
        foreach (var (name, value) in ((string, Func<StepResult, double>)[])
        [
            ("cpu_s_per_step", r => r.CpuSeconds), ("s_per_step_median", r => r.Seconds),
        ])
        {
            if (rounds.Count >= 3 && rounds.Select(value).Distinct().Count() == 1)
            {
                throw SafeLlamaException.InvalidData(
                    $"{program.Command}: {name} is {value(rounds[0])} in each of {rounds.Count} rounds, expected times "
                    + "that a clock measured, with all their digits.");
            }
        }
    }

    private static string Row(List<StepResult> own, List<StepResult> ours)
    {
        var (cpu, wall) = (Of(own, r => r.CpuSeconds), Of(own, r => r.Seconds));
        var same = ReferenceEquals(own, ours);
        var loss = own[0].Loss is null
            ? "–"
            : Of(own, r => r.Loss!.Value).Median.ToString("F3", CultureInfo.InvariantCulture);
        var tokens = own[0].Work.Tokens;
        return string.Join(
            " ",
            $"| {own[0].Name}{Arithmetic(own[0])} | {loss} | {cpu.Text("F3")} | {wall.Text("F3")}",
            $"| {tokens / cpu.Median:F0}",
            $"| {tokens / wall.Median:F0} | {Of(own, r => r.PeakMegabytes).Median:F0}",
            $"| {(same ? "1" : cpu.Over(Of(ours, r => r.CpuSeconds)).Text("F2"))}",
            $"| {(same ? "1" : wall.Over(Of(ours, r => r.Seconds)).Text("F2"))} |");
    }

    private static string Arithmetic(StepResult result) =>
        result.Arithmetic.Length == 0 ? "" : $", {result.Arithmetic}";

    private static Sample Of(List<StepResult> results, Func<StepResult, double> value) => new(results.Select(value));
}
