using System.CommandLine;
using System.Text.Json;
using SafeLlama.Common;

namespace SafeLlama.Cli.Commands;

/// <summary>What the <c>data</c> verbs share: options, new files, and how results are printed.</summary>
internal static class DataOptions
{
    public const string Formats = ".json, .jsonl, .csv, .parquet or .txt, also gzipped";

    /// <summary>An option that takes one file or more: <c>--data a.json b.jsonl</c>.</summary>
    public static Option<string[]> Files(string name, string description, bool required) => new(name)
    {
        Description = description,
        HelpName = "FILE…",
        Required = required,
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = true,
    };

    public static Option<string> OutFile() => new("--out")
    {
        Description = "Where the rows are written: a new .jsonl file. One that exists is refused.",
        HelpName = "FILE",
        Required = true,
    };

    public static Option<int> MaxLength() => new("--max-length")
    {
        Description = "The most tokens of a row, beginning and end included.",
        HelpName = "TOKENS",
        DefaultValueFactory = _ => 512,
    };

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

    public static void PrintJson<T>(T result) => Console.WriteLine(JsonSerializer.Serialize(result, Json.Line));
}
