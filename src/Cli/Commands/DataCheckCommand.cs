using System.CommandLine;
using SafeLlama.Cli.Options;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Cli.Commands;

/// <summary><c>data check</c>: checks data files before training.</summary>
internal static class DataCheckCommand
{
    public static Command Create()
    {
        var options = new DataCheckOptions();
        return options.Verb(
            "check",
            "Report faults, duplicates, refusals, forms and lengths of data files. "
            + "Exit code 3: rows have faults; 6: --against found a copy.",
            (asked, parsed) =>
            {
                if (asked.Model is null)
                {
                    options.Refuse(parsed, "without --model DIR", nameof(asked.Template), nameof(asked.MaxLength));
                }

                if (asked.Against.Count == 0)
                {
                    options.Refuse(parsed, "without --against FILE", nameof(asked.Jaccard));
                }

                return Run(asked);
            });
    }

    private static ExitCode Run(DataCheckOptions.Request asked)
    {
        if (asked.Jaccard == 0)
        {
            throw SafeLlamaException.Usage("--jaccard 0: expected a share above 0, at most 1.");
        }

        var encoder = asked.Model is { } folder ? Encoder(folder, asked.Template, asked.MaxLength) : null;
        var checks = asked.Files.Select(file => DataCheck.Of(ExampleFile.Inspect(file), encoder)).ToList();
        List<TrainingExample> rows = [.. checks.SelectMany(check => check.File.Examples)];
        var found = asked.Against.Select(suite =>
        {
            var prompts = ExampleFile.Read(suite, Answers.Optional).Examples;
            return (Suite: suite, Report: Contamination.Check(rows, prompts, asked.Jaccard));
        }).ToList();
        var repeated = Duplicates.Split(rows).Duplicates.Count - checks.Sum(check => check.Duplicates.Count);
        if (asked.Json)
        {
            Terminal.PrintJson(new CheckResult(
                [.. checks.Select(check => new CheckResult.CheckedFile(check))], repeated,
                [.. found.Select(f => Summary(f.Suite, f.Report))]));
        }
        else
        {
            Terminal.Print(checks.SelectMany(Lines));
            if (checks.Count > 1)
            {
                Console.WriteLine($"questions repeated from one file to another: {repeated}");
            }

            Terminal.Print(found.SelectMany(f => Lines(f.Suite, f.Report)));
        }

        return checks.Any(check => check.File.Faults.Count > 0) ? ExitCode.InvalidData
            : found.Any(f => !f.Report.Clean) ? ExitCode.GateMissed
            : ExitCode.Success;
    }

    private static ExampleEncoder Encoder(string folder, string template, int length)
    {
        var tokenizer = TokenizerLoader.Load(folder);
        var form = TemplateResolver.Choose(template, tokenizer, folder, adapter: null);
        Terminal.Notes(form.Notes);
        return new ExampleEncoder(
            tokenizer, form.Template, new EncodingOptions { MaxLength = DataFiles.CheckLength(length) });
    }

    private static IEnumerable<string> Lines(DataCheck check) => check.File.Faults.Count == 0
        ? check.Lines()
        : check.Lines().Concat(DataFaults.Report(check.File.Faults).Split('\n'));

    private static IEnumerable<string> Lines(string suite, ContaminationReport report) =>
    [
        $"against {suite}: {report.Summary}",
        .. report.Hits.Take(DataFaults.Printed).Select(hit =>
            $"{hit.Row}: {hit.RowId} asks what {hit.PromptId} ({hit.Prompt}) asks: "
            + (hit.Exact ? "exactly" : $"word-Jaccard {hit.Jaccard:0.00}")),
        .. report.Hits.Skip(DataFaults.Printed).Take(1)
            .Select(_ => $"… and {report.Hits.Count - DataFaults.Printed} more."),
    ];

    private static CheckResult.Suite Summary(string suite, ContaminationReport report) => new(
        suite, report.Rows, report.Prompts, report.Threshold, report.Clean,
        [.. report.Hits.Select(hit => new CheckResult.Hit(
            hit.RowId, hit.Row.ToString(), hit.PromptId, hit.Prompt.ToString(), hit.Jaccard, hit.Exact))]);
}
