using System.CommandLine;

namespace SafeLlama.Benchmarks;

/// <summary>The two kinds of option that commands have.</summary>
internal static class CommandOptions
{
    public static Option<T> One<T>(string name, T value, string description) =>
        new(name) { DefaultValueFactory = _ => value, Description = description };

    /// <summary>Each of several values is measured.</summary>
    public static Option<T[]> Several<T>(string name, T[] values, string description) => new(name)
    {
        DefaultValueFactory = _ => values,
        Description = description,
        AllowMultipleArgumentsPerToken = true,
    };
}
