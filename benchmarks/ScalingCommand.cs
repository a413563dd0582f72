using System.CommandLine;

namespace SafeLlama.Benchmarks;

/// <summary>One step on one thread and on several, in turn: on the machine as it is, and beside busy threads.</summary>
/// <remarks>
/// On idle cores the wall time should fall as threads are added. Where cores are shared it cannot, but it must not
/// collapse: a thread that waits for another which has no core makes both late.
/// </remarks>
internal static class ScalingCommand
{
    public static Command Create()
    {
        var options = CommandOptions.One(
            "--options", "--config tiny --targets all --steps 5 --warmup 3", "given to step, without --threads");
        var threads = CommandOptions.Several(
            "--threads", [1, 2], "measured in turn; the first is what is compared with");
        var busy = CommandOptions.Several("--busy", [0, 2], "how many threads of another process never rest beside it");
        var rounds = CommandOptions.One("--rounds", 9, "how often each runs");
        var command = new Command("scaling", "a step on one thread and on two, with cores free and shared, as a table")
        {
            options, threads, busy, rounds,
        };
        command.SetAction(parsed =>
        {
            var work = parsed.GetValue(options)!;
            Console.WriteLine($"{MachineStamp.Now}.\n");
            Console.WriteLine($"`{work}`, {Sample.Rounds(parsed.GetValue(rounds))}.\n");
            Console.WriteLine(
                "| busy threads beside | threads | wall s/step | CPU s/step | times as fast | CPU time |");
            Console.WriteLine("|---:|---:|---:|---:|---:|---:|");
            foreach (var count in parsed.GetValue(busy)!)
            {
                using var load = new BusyThreads(count);
                Measure(work, parsed.GetValue(threads)!, count, parsed.GetValue(rounds));
            }
        });
        return command;
    }

    private static void Measure(string work, int[] threads, int busy, int rounds)
    {
        var (wall, cpu) = (Samples(), Samples());
        for (var round = 0; round < rounds; round++)
        {
            for (var i = 0; i < threads.Length; i++)
            {
                var result = StepProgram.Own.Run($"{work} --threads {threads[i]}");
                wall[i].Add(result.Seconds);
                cpu[i].Add(result.CpuSeconds);
            }
        }

        for (var i = 0; i < threads.Length; i++)
        {
            var (faster, more) = (wall[0].Over(wall[i]), cpu[i].Over(cpu[0]));
            Console.WriteLine(
                $"| {busy} | {threads[i]} | {wall[i].Text("F3")} | {cpu[i].Text("F3")} "
                + $"| {faster.Text("F2")} | {more.Text("F2")} |");
        }

        Sample[] Samples() => [.. threads.Select(_ => new Sample())];
    }

    /// <summary>Threads of this process, which otherwise only waits for the step's.</summary>
    private sealed class BusyThreads : IDisposable
    {
        private volatile bool _stop;

        public BusyThreads(int count)
        {
            for (var i = 0; i < count; i++)
            {
                new Thread(Spin) { IsBackground = true }.Start();
            }
        }

        public void Dispose() => _stop = true;

        private void Spin()
        {
            while (!_stop)
            {
            }
        }
    }
}
