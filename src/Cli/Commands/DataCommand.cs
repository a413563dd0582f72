using System.CommandLine;

namespace SafeLlama.Cli.Commands;

/// <summary><c>data</c>: rows looked over, seen as the model sees them, mixed, reworded, paired; tokenizers.</summary>
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
