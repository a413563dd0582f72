using System.CommandLine;
using SafeLlama.Cli.Options;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Cli.Commands;

/// <summary><c>data convert</c>: rewords the questions of rows in another form.</summary>
internal static class DataConvertCommand
{
    public static Command Create()
    {
        var options = new DataConvertOptions();
        return options.Verb(
            "convert",
            "Reword questions as instructions or the reverse; answers stay. "
            + "Rows that fit no rule are named and left out.",
            (asked, parsed) =>
            {
                if (asked.Share == 1)
                {
                    options.Refuse(parsed, "with --share 1: no row is drawn", nameof(asked.Seed));
                }

                return Run(asked);
            });
    }

    private static ExitCode Run(DataConvertOptions.Request asked)
    {
        var path = DataFiles.NewRows(asked.Out);
        var rows = ExampleFile.Read(asked.File).Examples;
        var report = asked.Mapping is { } wordings
            ? FormatConverter.ConvertByMapping(rows, asked.To!.Value, wordings, asked.Share, asked.Seed)
            : FormatConverter.Convert(rows, asked.To!.Value, asked.Share, asked.Seed);
        if (report.Examples.Count == 0)
        {
            throw SafeLlamaException.InvalidData(
                $"{asked.File}: no row could be converted; nothing was written. "
                + "--mapping FILE takes wordings made elsewhere.");
        }

        ExampleWriter.Write(path, report.Examples);
        if (asked.Json)
        {
            Terminal.PrintJson(new ConvertResult(
                path, report.Examples.Count, report.Converted, report.AlreadyInForm, report.LeftAsTheyWere,
                [.. report.Unconvertible.Select(row => new ConvertResult.Row(
                    row.Id, row.Source.ToString(), row.Reason))],
                report.Rules));
        }
        else
        {
            Terminal.Print([.. report.Lines(), $"{path}: {Counted.Of(report.Examples.Count, "row")}."]);
        }

        return ExitCode.Success;
    }
}
