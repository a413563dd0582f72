using System.CommandLine;
using SafeLlama.Common;

namespace SafeLlama.Cli;

/// <summary>A setting's flag, from the name of its property: <c>MicroBatch</c> is <c>--micro-batch</c>.</summary>
internal static class FlagNames
{
    public static string Of(string property) => ProgramCommand.Flag(property);

    /// <summary>The flags of one verb by property; null for a setting that the verb does not have.</summary>
    public static Func<string, string?> Of(Command? command) => property =>
        command?.Options.Any(option => option.Name == Of(property)) == true ? Of(property) : null;
}
