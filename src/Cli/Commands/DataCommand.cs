using System.CommandLine;

namespace SafeLlama.Cli.Commands;

/// <summary><c>data</c>: checks, shows, mixes, rewords and pairs rows; trains tokenizers.</summary>
internal static class DataCommand
{
    public static Command Create() => new(
        "data", "Rows to learn from: check, show, mix, convert, pair; train a tokenizer on them.")
    {
        DataCheckCommand.Create(),
        DataShowCommand.Create(),
        DataMixCommand.Create(),
        DataConvertCommand.Create(),
        DataPairsCommand.Create(),
        DataTokenizerCommand.Create(),
    };
}
