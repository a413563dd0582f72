using System.CommandLine;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Cli.Commands;

/// <summary><c>data convert</c>: the same rows, asked in another form.</summary>
internal static class DataConvertCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = $"Instruction rows to reword: {DataOptions.Formats}." };
        var form = new Option<string>("--to")
        {
            Description = "The form wanted.",
            HelpName = "question|instruction|opinion",
            Required = true,
        };
        var mapping = new Option<string?>("--mapping")
        {
            Description = "Take wordings from this file, rows of origin_id and instruction, instead of by rule.",
            HelpName = "FILE",
        };
        var share = new Option<double>("--share")
        {
            Description = "The share of rows to reword; the rest stay as they are.",
            HelpName = "0…1",
            DefaultValueFactory = _ => 1,
        };
        var (seed, output, json) = (CommonOptions.Seed(), DataOptions.OutFile(), CommonOptions.Json());
        var command = new Command(
            "convert",
            "Reword questions as instructions or the reverse; answers stay. "
            + "Rows that fit no rule are named and left out.")
        {
            file, form, mapping, share, seed, output, json,
        };
        command.SetAction(parsed =>
        {
            var wanted = FormOf(parsed.GetValue(form)!);
            var path = DataOptions.NewRows(parsed.GetValue(output)!);
            var rows = ExampleFile.Read(parsed.GetValue(file)!).Examples;
            var (part, dice) = (parsed.GetValue(share), parsed.GetValue(seed));
            var report = parsed.GetValue(mapping) is { } wordings
                ? FormatConverter.ConvertByMapping(rows, wanted, wordings, part, dice)
                : FormatConverter.Convert(rows, wanted, part, dice);
            if (report.Examples.Count == 0)
            {
                throw SafeLlamaException.InvalidData(
                    $"{parsed.GetValue(file)}: no row could be converted; nothing was written. "
                    + "--mapping FILE takes wordings made elsewhere.");
            }

            ExampleWriter.Write(path, report.Examples);
            if (parsed.GetValue(json))
            {
                DataOptions.PrintJson(new ConvertResult(
                    path, report.Examples.Count, report.Converted, report.AlreadyInForm, report.LeftAsTheyWere,
                    [.. report.Unconvertible.Select(row => new ConvertResult.Row(
                        row.Id, row.Source.ToString(), row.Reason))],
                    report.Rules));
            }
            else
            {
                Terminal.Print([.. report.Lines(), $"{path}: {report.Examples.Count} rows."]);
            }

            return 0;
        });
        return command;
    }

    private static PromptForm FormOf(string name) => name switch
    {
        "question" => PromptForm.Question,
        "instruction" => PromptForm.Instruction,
        "opinion" => PromptForm.Opinion,
        _ => throw SafeLlamaException.Usage($"--to {name}: is unknown, expected question, instruction or opinion."),
    };
}
