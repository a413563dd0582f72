using SafeLlama.Common;

namespace SafeLlama.Cli.Commands;

/// <summary>What the <c>data</c> verbs ask of new files and of lengths.</summary>
internal static class DataFiles
{
    /// <summary>Refuses a bad <c>--out</c> before any work is done.</summary>
    /// <exception cref="SafeLlamaException">It exists, or its ending is not .jsonl.</exception>
    public static string NewRows(string path) => Path.GetExtension(path) != ".jsonl"
        ? throw SafeLlamaException.Usage($"--out {path}: rows are written as JSONL; expected a name in .jsonl.")
        : Path.Exists(path)
            ? throw SafeLlamaException.Usage($"--out {path}: exists, and nothing is overwritten. Name another file.")
            : path;

    /// <exception cref="SafeLlamaException">It is too small to hold a prompt and an answer.</exception>
    public static int CheckLength(int tokens) =>
        tokens >= 2 ? tokens : throw SafeLlamaException.Usage($"--max-length {tokens}: expected at least 2 tokens.");
}
