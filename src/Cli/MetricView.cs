using SafeLlama.Cli.Endings;
using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Cli;

/// <summary>Tables for the terminal: columns as wide as what they hold, plain when piped.</summary>
internal static class MetricView
{
    public static IEnumerable<string> Lines(EvaluationSummary summary)
    {
        yield return $"{Counted.Of(summary.Answers, "answer")} to {Counted.Of(summary.Prompts, "prompt")}, "
            + $"decoding {summary.Settings.Profile}"
            + (summary.CutOff > 0 ? $", {summary.CutOff} cut off at the limit of tokens" : "");
        foreach (var line in Rows(summary.Metrics))
        {
            yield return line;
        }

        foreach (var classes in summary.Behaviors)
        {
            foreach (var line in PeopleTable.Wrapped(SummaryMarkdown.Classes(classes)))
            {
                yield return line;
            }
        }

        if (summary.JudgePairs.Count > 0)
        {
            yield return "";
            yield return "What each judge concludes, of answers that both told:";
            foreach (var line in PeopleTable.Lines(
                ["suite", "answers", "judge", "yes", "other judge", "yes", "n", "only judge", "only other", "p (Holm)"],
                summary.JudgePairs.Select(p => (string[])
                [
                    p.Suite, p.Question.ToString().ToLowerInvariant(), p.First, SummaryMarkdown.Number(p.FirstRate),
                    p.Second, SummaryMarkdown.Number(p.SecondRate), $"{p.N}", $"{p.OnlyFirst}", $"{p.OnlySecond}",
                    $"{p.PHolm:0.000}",
                ]),
                0, 2, 4))
            {
                yield return line;
            }
        }

        foreach (var reason in summary.Unscored)
        {
            foreach (var line in PeopleTable.Wrapped($"unscored by {reason.Judge}: {reason.Count}: {reason.Reason}"))
            {
                yield return line;
            }
        }
    }

    /// <summary>One line per metric; below them, which way each is better.</summary>
    private static IEnumerable<string> Rows(IReadOnlyList<MetricRow> rows)
    {
        const int Judge = 0, Suite = 1;
        var isCorrected = rows.Any(row => row.Corrected is not null);
        string[] Shown(string[] cells, string corrected) => isCorrected ? [.. cells, corrected] : cells;
        return PeopleTable.Lines(
            Shown(["judge", "suite", "metric", "value", "95% interval", "n", "invalid", "unscored"], "corrected"),
            rows.Select(m => Shown(
                [
                    m.Judge, m.Suite, m.Metric, SummaryMarkdown.Number(m.Value.Value), SummaryMarkdown.Limits(m.Value),
                    $"{m.N}", $"{m.Invalid}", $"{m.Unscored}",
                ],
                m.Corrected is { } c ? SummaryMarkdown.Number(c.Value) : "")),
            Judge, Suite)
            .Append("")
            .Concat(rows.Select(m => $"{m.Metric}: {m.Direction}").Distinct()
                .SelectMany(line => PeopleTable.Wrapped(line)));
    }

    public static IEnumerable<string> Table(string[] header, IEnumerable<string[]> rows)
    {
        string[][] all = [header, .. rows.Select(row => (string[])[.. row.Select(SafeText.ForTerminalCell)])];
        var widths = Enumerable.Range(0, header.Length).Select(c => all.Max(row => row[c].Length)).ToArray();
        return all.Select(row => string.Join("  ", row.Select((cell, c) => cell.PadRight(widths[c]))).TrimEnd());
    }
}

/// <summary>The progress of an evaluation on stderr: every step on a terminal, every tenth in a file.</summary>
internal sealed class EvaluationView : IProgress<EvaluationProgress>
{
    private (string Stage, int Tenth) _last;

    public void Report(EvaluationProgress value)
    {
        var line = $"{value.Stage}: {value.Done} of {value.Total}";
        var tenth = value.Total == 0 ? 10 : 10 * value.Done / value.Total;
        if (Terminal.IsRich)
        {
            Console.Error.Write($"\r{line}   {(value.Done == value.Total ? "\n" : "")}");
        }
        else if (_last != (value.Stage, tenth))
        {
            Terminal.Note(line);
        }

        _last = (value.Stage, tenth);
    }
}
