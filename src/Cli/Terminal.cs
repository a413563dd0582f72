using SafeLlama.Common;
namespace SafeLlama.Cli;

/// <summary>What a person sees while a verb works: on stderr, so that stdout holds results alone.</summary>
internal static class Terminal
{
    /// <summary>Whether stderr is a terminal that takes colours and rewritten lines; <c>NO_COLOR</c> says no.</summary>
    public static bool IsRich { get; } = !Console.IsErrorRedirected && TakesColour();

    /// <summary>Whether stdout is a terminal that takes colours.</summary>
    public static bool OutputIsRich { get; } = !Console.IsOutputRedirected && TakesColour();

    /// <summary>One line, which may quote a file: text, never commands to the terminal.</summary>
    public static void Note(string line) => Console.Error.WriteLine(SafeText.ForTerminal(line));

    /// <summary>A result on stdout, which may quote a file.</summary>
    public static void Print(string text) => Console.WriteLine(SafeText.ForTerminal(text));

    public static void Notes(IEnumerable<string> lines)
    {
        foreach (var line in lines)
        {
            Note(line);
        }
    }

    private static bool TakesColour() => string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
        && Environment.GetEnvironmentVariable("TERM") != "dumb";
}
