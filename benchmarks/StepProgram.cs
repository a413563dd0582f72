using System.ComponentModel;
using System.Diagnostics;
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
        using var process = Start(words);
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        var line = output.Split('\n').LastOrDefault(line => line.StartsWith('{'))
            ?? throw SafeLlamaException.Usage(
                $"{Command} {options}: printed no line of JSON (exit code {process.ExitCode}).");
        return StepResult.Of(line, $"{Command} {options}");
    }

    private static Process Start(string[] words)
    {
        try
        {
            return Process.Start(new ProcessStartInfo(words[0], words[1..]) { RedirectStandardOutput = true })!;
        }
        catch (Win32Exception e)
        {
            throw SafeLlamaException.Usage($"{words[0]}: does not start: {e.Message}.");
        }
    }

    /// <summary>
    /// Where we run as <c>dotnet SafeLlama.Benchmarks.dll</c>, the assembly is the first argument of another run.
    /// </summary>
    private static string OwnAssembly() => Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet"
        ? typeof(StepProgram).Assembly.Location
        : "";
}
