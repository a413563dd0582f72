using System.Diagnostics;

namespace SafeLlama.Cli.Tests;

/// <summary>The built program, run as a process of its own, as a user runs it.</summary>
/// <param name="ExitCode">137 after a kill.</param>
internal sealed record CommandRun(int ExitCode, string Output, string Error)
{
    /// <summary>A run that has not ended by then hangs.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    public static CommandRun Of(params string[] arguments) => Of(fault: null, arguments);

    /// <param name="fault">What SAFELLAMA_FAULT says.</param>
    public static CommandRun Of(string? fault, string[] arguments)
    {
        using var process = Start(fault, arguments);
        return Finish(process, _ => { });
    }

    /// <summary>Runs, and does something to the process once a line of its progress holds a text.</summary>
    /// <exception cref="AssertionException">The line never came.</exception>
    public static CommandRun InterruptedAt(string text, Action<Process> interrupt, params string[] arguments)
    {
        using var process = Start(fault: null, arguments);
        var met = false;
        var run = Finish(process, line =>
        {
            if (!met && line.Contains(text, StringComparison.Ordinal))
            {
                met = true;
                interrupt(process);
            }
        });
        Assert.That(met, $"'{text}' was never seen:\n{run.Error}");
        return run;
    }

    /// <summary>Runs, and does something to the process while it works.</summary>
    public static CommandRun Started(Action<Process> meanwhile, params string[] arguments)
    {
        using var process = Start(fault: null, arguments);
        meanwhile(process);
        return Finish(process, _ => { });
    }

    /// <summary>Runs in a folder of its own, so that relative paths mean files there.</summary>
    public static CommandRun In(string folder, params string[] arguments)
    {
        using var process = Start(fault: null, arguments, folder);
        return Finish(process, _ => { });
    }

    /// <summary>Runs, and kills the process after a while unless it has ended by then.</summary>
    public static CommandRun KilledAfter(TimeSpan delay, params string[] arguments)
    {
        using var process = Start(fault: null, arguments);
        if (!process.WaitForExit(delay))
        {
            process.Kill();
        }

        return Finish(process, _ => { });
    }

    private static Process Start(string? fault, string[] arguments, string folder = "")
    {
        var start = new ProcessStartInfo(
            "dotnet", [Path.Combine(AppContext.BaseDirectory, "safellama.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = folder,
        };
        start.Environment.Remove("SAFELLAMA_DEBUG");
        if (fault is not null)
        {
            start.Environment["SAFELLAMA_FAULT"] = fault;
        }

        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }

    private static CommandRun Finish(Process process, Action<string> seen)
    {
        var errors = new List<string>();
        process.ErrorDataReceived += (_, e) =>
        {
            if (e.Data is { } line)
            {
                errors.Add(line);
                seen(line);
            }
        };
        process.BeginErrorReadLine();
        var output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(Limit))
        {
            process.Kill();
            Assert.Fail($"did not end within {Limit}:\n{string.Join('\n', errors)}");
        }

        process.WaitForExit();
        return new CommandRun(process.ExitCode, output.Result, string.Join('\n', errors));
    }
}
