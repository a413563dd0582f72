using System.CommandLine;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Cli.Commands;

/// <summary><c>data tokenizer</c>: a vocabulary learned from the rows themselves.</summary>
internal static class DataTokenizerCommand
{
    public static Command Create()
    {
        var data = DataOptions.Files(
            "--data", $"Text to learn from: {DataOptions.Formats}. Questions and answers count alike.", required: true);
        var size = new Option<int>("--vocabulary-size")
        {
            Description = "V: control tokens, 256 bytes, characters and merged pieces; fewer where pairs run out.",
            HelpName = "V",
            Required = true,
        };
        var least = new Option<int>("--minimum-frequency")
        {
            Description = "How often a character or a pair must occur to be a piece; rarer ones are written in bytes.",
            HelpName = "N",
            DefaultValueFactory = _ => 2,
        };
        var control = new Option<string[]>("--control")
        {
            Description = "Control tokens beside <unk>, <s> and </s>, such as <|im_end|>.",
            HelpName = "TOKEN…",
            Arity = ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = true,
        };
        var template = new Option<string?>("--template")
        {
            Description = "Count the words that this template puts around every row too: "
                + $"{string.Join(", ", PromptTemplate.Names)}, or an Alpaca template's JSON file.",
            HelpName = "NAME",
        };
        var (output, json) = (CommonOptions.Out("The tokenizer's folder."), CommonOptions.Json());
        var command = new Command(
            "tokenizer",
            "Train a byte-pair tokenizer with byte fallback, in LLaMA's form. The same text gives the same bytes.")
        {
            data, size, least, control, template, output, json,
        };
        command.SetAction(parsed =>
        {
            var folder = parsed.GetValue(output)!;
            var trained = AtomicFolder.Create(folder, partial =>
            {
                var learned = Learn(parsed.GetValue(data)!, parsed.GetValue(template), new BpeTrainerOptions
                {
                    VocabularySize = parsed.GetValue(size),
                    MinimumFrequency = parsed.GetValue(least),
                    ControlTokens = parsed.GetValue(control) ?? [],
                });
                learned.Write(partial);
                return learned;
            });
            var got = trained.Tokenizer.VocabularySize;
            if (got < parsed.GetValue(size))
            {
                Terminal.Note(
                    $"The text has no more pairs that occur {parsed.GetValue(least)} times: "
                    + $"{got} pieces instead of {parsed.GetValue(size)}.");
            }

            if (parsed.GetValue(json))
            {
                DataOptions.PrintJson(new TokenizerResult(
                    folder, got, trained.Words, trained.WholeWords, trained.Tokenizer.Hash));
            }
            else
            {
                Console.WriteLine(
                    $"{folder}: {got} pieces; {trained.WholeWords} of {trained.Words} words are one piece.");
            }

            return 0;
        });
        return command;
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
