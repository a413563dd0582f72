using System.CommandLine;
using SafeLlama.Cli.Options;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Cli.Commands;

/// <summary><c>runs</c>: lists the evaluation runs under a folder, or shows one of them.</summary>
internal static class RunsCommand
{
    public static Command Create() =>
        new RunsOptions().Verb("runs", "List evaluation runs, or show one.", Run);

    private static ExitCode Run(RunsOptions.Request asked)
    {
        var entries = RunCatalog.List(asked.Folder);
        if (asked.Json)
        {
            Terminal.PrintDocument(
                entries.Select(e => new RunEntry(e.Path, e.State, e.Responses, e.Problem, e.Manifest, e.Summary)));
        }
        else if (entries is [{ Summary: { } summary } only]
            && Path.GetFullPath(only.Path) == Path.GetFullPath(asked.Folder))
        {
            Terminal.Print(MetricView.Lines(summary));
        }
        else
        {
            Show(entries);
        }

        return ExitCode.Success;
    }

    private static void Show(IReadOnlyList<RunCatalog.Entry> entries)
    {
        if (entries.Count == 0)
        {
            Terminal.Print("no evaluation runs here");
            return;
        }

        Terminal.Print(MetricView.Table(
            ["run", "state", "written (UTC)", "answers", "suites", "judges", "problem"],
            entries.Select(e => (string[])
            [
                e.Path, e.State, e.Written.ToString("yyyy-MM-dd HH:mm"), $"{e.Responses}",
                string.Join(' ', e.Manifest?.Suites.Select(s => s.Name) ?? []),
                string.Join(' ', e.Manifest?.Judges.Select(j => j.Identity.Name) ?? []), e.Problem ?? "",
            ])));
    }
}
