using System.Diagnostics;
using System.Text.Json;
using SafeLlama.Common;

namespace SafeLlama.Benchmarks;

/// <summary>A program that takes <c>step</c>'s options and prints its line of JSON: ours, or a peer.</summary>
/// <param name="Command">How it is started, without options.</param>
internal sealed record StepProgram(string Command)
{
    /// <summary>This very program, as it runs now.</summary>
    public static StepProgram Own { get; } = new($"{Environment.ProcessPath} {OwnAssembly()} step");

    /// <summary>Runs it once, in a process of its own.</summary>
    /// <exception cref="SafeLlamaException">It does not start, or does not print what it should.</exception>
    public StepResult Run(string options)
    {
        var words = $"{Command} {options}".Split(' ', StringSplitOptions.RemoveEmptyEntries);
        using var process = Process.Start(new ProcessStartInfo(words[0], words[1..]) { RedirectStandardOutput = true })
            ?? throw SafeLlamaException.Usage($"{words[0]}: does not start.");
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        var json = output.Split('\n').LastOrDefault(line => line.StartsWith('{'))
            ?? throw SafeLlamaException.Usage(
                $"{Command} {options}: printed no line of JSON (exit code {process.ExitCode}).");
        return StepResult.Of(JsonDocument.Parse(json).RootElement, $"{Command} {options}");
    }

    /// <summary>
    /// Where we run as <c>dotnet SafeLlama.Benchmarks.dll</c>, the assembly is the first argument of another run.
    /// </summary>
    private static string OwnAssembly() => Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet"
        ? typeof(StepProgram).Assembly.Location
        : "";
}

/// <summary>What one run of a step's program printed.</summary>
/// <param name="Name">Of the program, with the BLAS it uses where it says so.</param>
/// <param name="CpuSeconds">Of a step, all threads together.</param>
/// <param name="Seconds">Of a step, by the clock: the median of the run.</param>
/// <param name="Tokens">Of a step.</param>
/// <param name="PeakMegabytes">The most memory the process held.</param>
/// <param name="Flops">Of a step, where the program counts them.</param>
/// <param name="PlannedMegabytes">What its tensors take, where it says so.</param>
/// <param name="TotalSeconds">From the opening of the model to the last step, where it says so.</param>
internal sealed record StepResult(
    string Name, double CpuSeconds, double Seconds, double Tokens, double PeakMegabytes, double Flops,
    double PlannedMegabytes, double TotalSeconds)
{
    public static StepResult Of(JsonElement line, string command)
    {
        double Number(string name) => Optional(name)
            ?? throw SafeLlamaException.Usage($"{command}: its line of JSON has no \"{name}\".");
        double? Optional(string name) => line.TryGetProperty(name, out var value)
            && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;
        var (cpu, wall) = (Number("cpu_s_per_step"), Number("s_per_step_median"));
        var blas = line.TryGetProperty("blas", out var library) ? library.GetString() : null;
        return new(
            line.GetProperty("peer").GetString() + (blas is null ? "" : $" ({blas})"), cpu, wall,
            Number("tokens_per_s") * wall, Number("peak_rss_mb"),
            Optional("flops_per_step") ?? 0, Optional("planned_mb") ?? 0, Optional("s_total") ?? 0);
    }
}
