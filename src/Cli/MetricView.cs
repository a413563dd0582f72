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
        foreach (var line in Table(
            ["judge", "suite", "metric", "value", "95% interval", "n", "invalid", "unscored", "corrected",
                "direction"],
            summary.Metrics.Select(m => (string[])
            [
                m.Judge, m.Suite, m.Metric, SummaryMarkdown.Number(m.Value.Value), SummaryMarkdown.Limits(m.Value),
                $"{m.N}",
                $"{m.Invalid}", $"{m.Unscored}", m.Corrected is { } c ? SummaryMarkdown.Number(c.Value) : "",
                m.Direction,
            ])))
        {
            yield return line;
        }

        foreach (var classes in summary.Behaviors)
        {
            yield return SafeText.ForTerminalCell(SummaryMarkdown.Classes(classes));
        }

        if (summary.JudgePairs.Count > 0)
        {
            yield return "";
            yield return "What each judge concludes, of answers that both told:";
            foreach (var line in Table(
                ["suite", "answers", "judge", "yes", "other judge", "yes", "n", "only judge", "only other", "p (Holm)"],
                summary.JudgePairs.Select(p => (string[])
                [
                    p.Suite, p.Question.ToString().ToLowerInvariant(), p.First, SummaryMarkdown.Number(p.FirstRate),
                    p.Second, SummaryMarkdown.Number(p.SecondRate), $"{p.N}", $"{p.OnlyFirst}", $"{p.OnlySecond}",
                    $"{p.PHolm:0.000}",
                ])))
            {
                yield return line;
            }
        }

        foreach (var reason in summary.Unscored)
        {
            yield return SafeText.ForTerminalCell($"unscored by {reason.Judge}: {reason.Count}: {reason.Reason}");
        }
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
