using System.CommandLine;
using System.Globalization;
using SafeLlama.Cli.Endings;
using SafeLlama.Cli.Options;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Evaluation;
using SafeLlama.Model;
using SafeLlama.Training;

namespace SafeLlama.Cli.Commands;

/// <summary><c>runs</c>: lists the runs under a folder, or shows one of them, or its answers.</summary>
internal static class RunsCommand
{
    /// <summary>Headline measures that stand for a run in the list.</summary>
    private const int HeadlineLength = 3;

    public static Command Create()
    {
        var options = new RunsOptions();
        return options.Verb(
            "runs", "List evaluation and training runs, show one, or read the answers of one.",
            (asked, parsed) =>
            {
                if (asked.Answers)
                {
                    return Answers(asked);
                }

                options.Refuse(parsed, "without --answers", nameof(asked.Only), nameof(asked.ShowUnsafe));
                return List(asked);
            });
    }

    private static ExitCode Answers(RunsOptions.Request asked)
    {
        var all = RunAnswer.Read(asked.Folder);
        var chosen = all.Where(answer => asked.Only is not { } kind || answer.Is(kind)).ToList();
        var entries = AnswersView.Entries(chosen, asked.ShowUnsafe).ToList();
        if (asked.Json)
        {
            Terminal.PrintDocument(entries);
        }
        else
        {
            for (var i = 0; i < entries.Count; i++)
            {
                Terminal.Print((i > 0 ? "\n" : "") + string.Join('\n', AnswersView.Lines(entries[i])));
            }
        }

        var folded = entries.Count(entry => entry.Folded is not null);
        Terminal.Note($"{chosen.Count} of {Counted.Of(all.Count, "answer")}"
            + folded switch
            {
                0 => ".",
                1 => "; 1 that may be harmful is folded, and --show-unsafe shows it.",
                _ => $"; {folded} that may be harmful are folded, and --show-unsafe shows them.",
            });
        return ExitCode.Success;
    }

    private static ExitCode List(RunsOptions.Request asked)
    {
        var entries = RunCatalog.List(asked.Folder);
        var trained = TrainingCatalog.List(asked.Folder);
        if (asked.Json)
        {
            Terminal.PrintDocument(entries.Select(e => (e.Written, Entry: EntryOf(e)))
                .Concat(trained.Select(e => (e.Written, Entry: EntryOf(e))))
                .OrderBy(e => e.Written).Select(e => e.Entry));
        }
        else if (entries is [{ Summary: { } summary } only]
            && Path.GetFullPath(only.Path) == Path.GetFullPath(asked.Folder))
        {
            Terminal.Print(MetricView.Lines(summary));
        }
        else
        {
            Show(entries, trained);
        }

        return ExitCode.Success;
    }

    private static RunEntry EntryOf(RunCatalog.Entry e) => new(e.Path, "evaluation", e.State, e.Problem)
    {
        Responses = e.Responses,
        Manifest = e.Manifest,
        Summary = e.Summary,
    };

    private static RunEntry EntryOf(TrainingCatalog.Entry e) => new(e.Path, "train", e.State, e.Problem)
    {
        Training = e.File,
        Steps = e.Steps,
        ValidationLoss = e.ValidationLoss,
    };

    private static void Show(
        IReadOnlyList<RunCatalog.Entry> entries, IReadOnlyList<TrainingCatalog.Entry> trained)
    {
        if (entries.Count + trained.Count == 0)
        {
            Terminal.Print("no runs here");
            return;
        }

        if (entries.Count > 0)
        {
            Terminal.Print(WithBelow(
                ["run", "state", "written (UTC)", "model", "adapter", "answers", "suites", "judges"],
                [.. entries.Select(e => (string[])
                [
                    e.Path, e.State, Time(e.Written), e.Manifest?.Names?.Model ?? "", e.Manifest?.Names?.Adapter ?? "",
                    $"{e.Responses}", string.Join(' ', e.Manifest?.Suites.Select(s => s.Name) ?? []),
                    string.Join(' ', e.Manifest?.Judges.Select(j => j.Identity.Name) ?? []),
                ])],
                [.. entries.Select(e => e.Problem ?? HeadlineOf(e))],
                0, 3, 4, 6, 7));
        }

        if (trained.Count > 0)
        {
            Terminal.Print((entries.Count > 0 ? "\n" : "") + string.Join('\n', WithBelow(
                ["training run", "state", "written (UTC)", "model", "saved", "steps", "validation loss"],
                [.. trained.Select(e => (string[])
                [
                    e.Path, e.State, Time(e.Written), ModelOf(e.File), Path.GetFileName(e.Saved) ?? "",
                    e.File is { } file ? $"{e.Steps} of {file.Plan.Steps}" : "",
                    e.ValidationLoss?.ToString("F4", CultureInfo.InvariantCulture) ?? "",
                ])],
                [.. trained.Select(e => e.Problem ?? "")],
                0, 3)));
        }
    }

    /// <summary>A table with a sentence below each of its rows, where there is one.</summary>
    private static IEnumerable<string> WithBelow(
        string[] header, IReadOnlyList<string[]> rows, IReadOnlyList<string> below, params int[] texts)
    {
        string[] lines = [.. PeopleTable.Lines(header, rows, texts)];
        var body = lines.Length - rows.Count;
        return
        [
            .. lines[..body],
            .. rows.SelectMany((_, i) => below[i].Length == 0 ? [lines[body + i]]
                : PeopleTable.Wrapped(below[i], indent: 4).Select((line, n) => n == 0 ? "  " + line : line)
                    .Prepend(lines[body + i])),
        ];
    }

    /// <summary>The model that was tuned, or the configuration of a new one.</summary>
    private static string ModelOf(RunFile? file) =>
        new[] { nameof(FineTuneRequest.Model), nameof(FineTuneRequest.Init) }
        .Select(name => file?.Settings.GetValueOrDefault(SettingText.NameOf(name))?.Value)
        .FirstOrDefault(value => !string.IsNullOrEmpty(value)) is { } path ? PeftFolder.NameOf(path) : "";

    private static string HeadlineOf(RunCatalog.Entry entry)
    {
        if (entry.Summary is null)
        {
            return "";
        }

        var rows = HeadlineRow.Of(RunFolder.Open(entry.Path));
        var shown = rows.Take(HeadlineLength).Select(row => $"{row.Metric.Title} {row.ValueText}"
            + (entry.Manifest!.Suites.Count > 1 ? $" ({row.Suite})" : ""));
        return string.Join(", ", rows.Count > HeadlineLength
            ? shown.Append($"{rows.Count - HeadlineLength} more") : shown);
    }

    private static string Time(DateTime written) => written.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
}
