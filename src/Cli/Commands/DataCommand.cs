using System.CommandLine;

namespace SafeLlama.Cli.Commands;

/// <summary><c>data</c>: checks, shows, mixes and rewords rows; trains tokenizers.</summary>
internal static class DataCommand
{
    public static Command Create() => new(
        "data", "Rows to learn from: check, show, mix, convert; train a tokenizer on them.")
    {
        DataCheckCommand.Create(),
        DataShowCommand.Create(),
        DataMixCommand.Create(),
        DataConvertCommand.Create(),
        DataTokenizerCommand.Create(),
    };
}
