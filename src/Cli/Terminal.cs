using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Cli;

/// <summary>Output for people on stderr, so that stdout holds only results.</summary>
internal static class Terminal
{
    /// <summary>Whether stderr is a terminal that takes colors and rewritten lines; <c>NO_COLOR</c> says no.</summary>
    public static bool IsRich { get; } = !Console.IsErrorRedirected && TakesColor();

    /// <summary>Whether stdout is a terminal that takes colors.</summary>
    public static bool OutputIsRich { get; } = !Console.IsOutputRedirected && TakesColor();

    /// <summary>Prints one line on stderr. Text from files is escaped.</summary>
    /// <remarks>A log on a full disk takes no lines; the work, and a server's answers, go on without them.</remarks>
    public static void Note(string line)
    {
        try
        {
            Console.Error.WriteLine(SafeText.ForTerminal(line));
        }
        catch (IOException)
        {
            // There is no other place to say so.
        }
    }

    /// <summary>Prints a result on stdout. Text from files is escaped.</summary>
    public static void Print(string text) => Console.WriteLine(SafeText.ForTerminal(text));

    /// <summary>A result as one line of JSON.</summary>
    public static void PrintJson<T>(T result) => Print(JsonSerializer.Serialize(result, Json.Line));

    /// <summary>A result as JSON over several lines.</summary>
    public static void PrintDocument<T>(T result) => Print(JsonSerializer.Serialize(result, EvaluationJson.Document));

    /// <summary>The lines of a result.</summary>
    public static void Print(IEnumerable<string> lines)
    {
        foreach (var line in lines)
        {
            Print(line);
        }
    }

    /// <summary>Remarks of a library, the settings that they name as flags.</summary>
    public static void Notes(IEnumerable<string> lines)
    {
        foreach (var line in lines)
        {
            Note(SafeLlamaException.Named(line, FlagNames.Of));
        }
    }

    private static bool TakesColor() => string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
        && Environment.GetEnvironmentVariable("TERM") != "dumb";
}
