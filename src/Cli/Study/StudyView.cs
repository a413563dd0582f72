using System.Diagnostics;
using SafeLlama.Common;
using SafeLlama.Study;
using Spectre.Console;

namespace SafeLlama.Cli.Study;

/// <summary>Shows a running study on stderr: the progress of every arm and the results so far.</summary>
internal sealed class StudyView(IReadOnlyList<ArmJob> jobs, IReadOnlyList<StudyMetric> headline)
    : IProgress<ArmProgress>
{
    private readonly Dictionary<Replicate, ArmProgress> _last = [];
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Lock _lock = new();
    private LiveDisplayContext? _live;

    /// <summary>Runs the work under a live table, or with a line for every finished stage where there is no
    /// terminal.</summary>
    public T Show<T>(Func<T> work)
    {
        if (!Terminal.IsRich)
        {
            return work();
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Live(Table()).Start(context =>
        {
            _live = context;
            return work();
        });
    }

    public void Report(ArmProgress value)
    {
        lock (_lock)
        {
            var before = _last.GetValueOrDefault(value.Replicate);
            _last[value.Replicate] = value;
            if (_live is not null)
            {
                _live.UpdateTarget(Table());
            }
            else if (!Terminal.IsRich && (before?.Stage != value.Stage || value.Stage == "done"))
            {
                Terminal.Note($"{_clock.Elapsed:hh\\:mm\\:ss}  {Name(value.Replicate)}  {value.Stage}"
                    + string.Concat((value.Headline ?? []).Zip(
                        headline, (share, metric) => $"  {metric.Name} {Percent.Of(share)}")));
            }
        }
    }

    /// <summary>One row per arm: how many of its replicates are done, where one stands, and the means so far.</summary>
    private Table Table()
    {
        var table = new Table().Border(TableBorder.Simple).Caption(Left());
        table.AddColumns(["Arm", "Done", "Now", "Loss"]);
        foreach (var metric in headline)
        {
            table.AddColumn(new TableColumn(Markup.Escape(metric.Title)).RightAligned());
        }

        foreach (var arm in jobs.GroupBy(job => job.Replicate.Arm))
        {
            var known = arm.Select(job => _last.GetValueOrDefault(job.Replicate)).OfType<ArmProgress>().ToList();
            var (done, now) =
                (known.Where(at => at.Stage == "done").ToList(), known.FirstOrDefault(at => at.Stage != "done"));
            table.AddRow(
            [
                Markup.Escape(arm.Key),
                $"{done.Count} of {arm.Count()}",
                now is not null ? $"{now.Stage} {Percent.Of((double)now.Done / Math.Max(1, now.Total), "0")}"
                    : done.Count == arm.Count() ? "" : "waiting",
                now?.Loss is { } loss ? loss.ToString("0.000") : "",
                .. headline.Select((_, i) =>
                    done.Count > 0 ? Percent.Of(done.Average(at => at.Headline![i])) : ""),
            ]);
        }

        return table;
    }

    /// <summary>From the replicates done so far; training counts for two thirds of one.</summary>
    private string Left()
    {
        var done = _last.Values.Sum(at => at.Stage switch
        {
            "done" => 1,
            "answering" => 0.67 + 0.33 * at.Done / Math.Max(1, at.Total),
            _ => 0.67 * at.Done / Math.Max(1, at.Total),
        });
        var rest = _clock.Elapsed * ((jobs.Count - done) / Math.Max(done, 0.2));
        var left = done < 0.2 ? "" : $", about {rest:hh\\:mm\\:ss} left";
        return $"{_clock.Elapsed:hh\\:mm\\:ss}{left}";
    }

    private string Name(Replicate replicate) => jobs.Count(job => job.Replicate.Arm == replicate.Arm) == 1
        ? replicate.Arm
        : $"{replicate.Arm} {Path.GetFileName(replicate.Model.TrimEnd('/'))} seed {replicate.Seed}";
}
