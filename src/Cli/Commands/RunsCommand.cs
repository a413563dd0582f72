using System.CommandLine;
using System.Text.Json;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Cli.Commands;

/// <summary><c>runs</c>: the evaluation runs under a folder, or one of them.</summary>
internal static class RunsCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("DIR")
        {
            Description = "A folder of runs, or one run.",
            DefaultValueFactory = _ => ".",
        };
        var json = CommonOptions.Json();
        var command = new Command("runs", "List evaluation runs, or show one.") { folder, json };
        command.SetAction(parsed =>
        {
            var place = parsed.GetValue(folder)!;
            var entries = RunCatalog.List(place);
            if (parsed.GetValue(json))
            {
                Terminal.Print(JsonSerializer.Serialize(
                    entries.Select(e => new RunEntry(e.Path, e.State, e.Responses, e.Problem, e.Manifest, e.Summary)),
                    EvaluationJson.Document));
            }
            else if (entries is [{ Summary: { } summary } only]
                && Path.GetFullPath(only.Path) == Path.GetFullPath(place))
            {
                Terminal.Print(MetricView.Lines(summary));
            }
            else
            {
                Show(entries);
            }

            return (int)ExitCode.Success;
        });
        return command;
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
