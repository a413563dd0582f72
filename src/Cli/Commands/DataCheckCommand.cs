using System.CommandLine;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Cli.Commands;

/// <summary><c>data check</c>: what can be said of data files before anyone trains on them.</summary>
internal static class DataCheckCommand
{
    public static Command Create()
    {
        var files = new Argument<string[]>("FILE")
        {
            Description = $"Rows to look through: {DataOptions.Formats}.",
            Arity = ArgumentArity.OneOrMore,
        };
        var against = DataOptions.Files(
            "--against", "Evaluation prompts that no row may ask, exactly or nearly.", required: false);
        var jaccard = new Option<double>("--jaccard")
        {
            Description = "With --against: the share of words in common, |A ∩ B| / |A ∪ B|, that makes a row a copy.",
            HelpName = "0…1",
            DefaultValueFactory = _ => Contamination.DefaultThreshold,
        };
        var model = new Option<string?>("--model")
        {
            Description = "A folder with a tokenizer: lengths are given in tokens too.",
            HelpName = "DIR",
        };
        var (template, length, json) = (CommonOptions.Template(), DataOptions.MaxLength(), CommonOptions.Json());
        var command = new Command(
            "check",
            "Report faults, duplicates, refusals, forms and lengths of data files. "
            + "Exit code 3: rows have faults; 6: --against found a copy.")
        {
            files, against, jaccard, model, template, length, json,
        };
        command.SetAction(parsed =>
        {
            Option[] needTokens = [template, length];
            if (parsed.GetValue(model) is null
                && needTokens.FirstOrDefault(o => parsed.GetResult(o) is { Implicit: false }) is { } idle)
            {
                throw SafeLlamaException.Usage($"{idle.Name} has no effect without --model DIR.");
            }

            var threshold = parsed.GetValue(jaccard);
            if (threshold is not (> 0 and <= 1))
            {
                throw SafeLlamaException.Usage($"--jaccard {threshold}: expected a share above 0, at most 1.");
            }

            var encoder = parsed.GetValue(model) is { } folder
                ? Encoder(folder, parsed.GetValue(template)!, DataOptions.CheckLength(parsed.GetValue(length)))
                : null;
            var checks = parsed.GetValue(files)!
                .Select(file => DataCheck.Of(ExampleFile.Inspect(file), encoder)).ToList();
            List<TrainingExample> rows = [.. checks.SelectMany(check => check.File.Examples)];
            var found = (parsed.GetValue(against) ?? []).Select(suite =>
            {
                var prompts = ExampleFile.Read(suite, Answers.Optional).Examples;
                return (Suite: suite, Report: Contamination.Check(rows, prompts, threshold));
            }).ToList();
            var repeated = Duplicates.Split(rows).Duplicates.Count - checks.Sum(check => check.Duplicates.Count);
            if (parsed.GetValue(json))
            {
                DataOptions.PrintJson(new CheckResult(
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

            return (int)(checks.Any(check => check.File.Faults.Count > 0) ? ExitCode.InvalidData
                : found.Any(f => !f.Report.Clean) ? ExitCode.GateMissed
                : ExitCode.Success);
        });
        return command;
    }

    private static ExampleEncoder Encoder(string folder, string template, int length)
    {
        var tokenizer = TokenizerLoader.Load(folder);
        var form = TemplateResolver.Choose(template, tokenizer, folder, adapter: null);
        Terminal.Notes(form.Notes);
        return new ExampleEncoder(tokenizer, form.Template, new EncodingOptions { MaxLength = length });
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
