using System.CommandLine;
using SafeLlama.Cli.Options;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Cli.Commands;

/// <summary><c>data tokenizer</c>: trains a tokenizer on rows.</summary>
internal static class DataTokenizerCommand
{
    public static Command Create() => new DataTokenizerOptions().Verb(
        "tokenizer",
        "Train a byte-pair tokenizer with byte fallback, in LLaMA's form. The same text gives the same bytes.",
        Run);

    private static ExitCode Run(DataTokenizerOptions.Request asked)
    {
        var size = asked.VocabularySize!.Value;
        var trained = AtomicFolder.Create(asked.Out, partial =>
        {
            var learned = Learn(asked.Data, asked.Template, new BpeTrainerOptions
            {
                VocabularySize = size,
                MinimumFrequency = asked.MinimumFrequency,
                ControlTokens = asked.Control,
            });
            learned.Write(partial);
            return learned;
        });
        var got = trained.Tokenizer.VocabularySize;
        if (got < size)
        {
            Terminal.Note($"The text has no more pairs that occur {asked.MinimumFrequency} times: {got} pieces instead "
                + $"of {size}.");
        }

        if (asked.Json)
        {
            Terminal.PrintJson(new TokenizerResult(
                asked.Out, got, trained.Words, trained.WholeWords, trained.Tokenizer.Hash));
        }
        else
        {
            Terminal.Print(
                $"{asked.Out}: {got} pieces; {trained.WholeWords} of {trained.Words} words are one piece.");
        }

        return ExitCode.Success;
    }

    /// <summary>The vocabulary of files.</summary>
    /// <param name="files">Text, or rows whose questions and answers count alike.</param>
    /// <param name="template">A template whose words count too.</param>
    /// <param name="options">Its size.</param>
    public static TrainedTokenizer Learn(IReadOnlyList<string> files, string? template, BpeTrainerOptions options)
    {
        var frame = template is null ? null : PromptTemplate.Load(template);
        var rows = ExampleFile.ReadAll(files).SelectMany(file => file.Examples);
        return BpeTrainer.Train(rows.SelectMany(row => Texts(row, frame)), options);
    }

    private static IEnumerable<string> Texts(TrainingExample row, PromptTemplate? frame) => frame is null
        ? [row.Question, row.Answer]
        : [string.Concat(frame.Render(row).Where(s => s.Kind == SegmentKind.Text).Select(s => s.Value))];
}
