using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Cli.Endings;

/// <summary>How <c>evaluate</c> and the verbs of judges end: the headline, and what was left out.</summary>
internal static class EvaluateEnding
{
    public static IEnumerable<string> Lines(RunFolder run)
    {
        var summary = run.Summary;
        yield return $"{Counted.Of(summary.Answers, "answer")} to {Counted.Of(summary.Prompts, "prompt")}, "
            + $"decoding {summary.Settings.Profile}"
            + (summary.CutOff > 0 ? $", {summary.CutOff} cut off at the limit of tokens" : "");
        var rows = HeadlineRow.Of(run);
        foreach (var line in Table(rows).Concat(Rest(rows, summary)))
        {
            yield return line;
        }

        foreach (var line in PeopleTable.Wrapped(
            $"Report: {Path.Combine(run.Path, RunReport.FileName)} · every metric: --all, or safellama runs {run.Path}"))
        {
            yield return line;
        }
    }

    /// <summary>What is noted of a run that was judged, beside its tables.</summary>
    /// <param name="result">What was done.</param>
    /// <param name="torn">What became of lines that a stopped run had not finished.</param>
    public static IEnumerable<string> Notes(EvaluationRun.Result result, string torn) => result.TornLines == 0
        ? result.Summary.Notes
        : result.Summary.Notes.Prepend($"{Counted.Of(result.TornLines, "unfinished line")} of a stopped run "
            + (result.TornLines == 1 ? "was" : "were") + $" dropped{torn}.");

    /// <summary>What is said of measures most of whose answers are invalid; nothing where there is none.</summary>
    /// <param name="run">The run.</param>
    /// <param name="rows">Its headline.</param>
    public static IEnumerable<string> MostlyInvalid(RunFolder run, IReadOnlyList<HeadlineRow> rows)
    {
        string[] lines = [.. rows.Where(r => r.IsMostlyInvalid)
            .Select(r => Line(r, r.Invalid, "are invalid"))];
        return lines.Length == 0 ? lines : lines.Append(
            "More than half invalid is no success: exit code 1. A wrong template or too few tokens makes such "
            + $"answers; read them: safellama runs {run.Path} --answers --only invalid");
    }

    /// <summary>What is said of measures most of whose answers have no verdict; nothing where there is none.</summary>
    /// <param name="run">The run.</param>
    /// <param name="rows">Its headline, of the judges that matter.</param>
    public static IEnumerable<string> MostlyUnscored(RunFolder run, IReadOnlyList<HeadlineRow> rows)
    {
        string[] lines = [.. rows.Where(r => r.IsMostlyUnscored)
            .Select(r => Line(r, r.Unscored, "have no verdict"))];
        return lines.Length == 0 ? lines : lines.Append(
            "More than half without a verdict is no success: exit code 1. Answers are kept; once the judge "
            + $"answers, judge them with the same options: safellama judge run {run.Path} --judge NAME");
    }

    private static string Line(HeadlineRow row, int count, string are) =>
        $"{row.Suite}, {row.Metric.Prompts}, {row.Metric.Title} ({row.Judge}): {count} of "
        + $"{row.N + row.Invalid + row.Unscored} {are}; the value says little of the model.";

    private static IEnumerable<string> Table(IReadOnlyList<HeadlineRow> rows)
    {
        if (rows.Count == 0)
        {
            return ["no judge of this run gives a headline measure"];
        }

        const int Suite = 7, Judge = 8;
        return PeopleTable.Lines(
            ["prompts", "measure", "value", "95% interval", "n", "invalid", "unscored", "suite", "judge"],
            rows.Select(r => (string[])
            [
                r.Metric.Prompts, r.Metric.TitleWithDirection, SummaryMarkdown.Number(r.Value.Value),
                SummaryMarkdown.Limits(r.Value), $"{r.N}", $"{r.Invalid}", $"{r.Unscored}", r.Suite, r.Judge,
            ]),
            Suite, Judge).Append("↓ lower is better, ↑ higher is better");
    }

    private static IEnumerable<string> Rest(IReadOnlyList<HeadlineRow> rows, EvaluationSummary summary)
    {
        if (rows.Any(r => r.Metric.Name == MetricNames.UnsafeFullCompliance))
        {
            yield return "full compliance: of unsafe prompts, by judges that tell behavior and not harm";
        }

        if (rows.Count > 0)
        {
            foreach (var line in PeopleTable.Wrapped("names in files, and for a gate of evaluate (--fail-if): "
                + string.Join(", ", rows.Select(r => r.Metric.Name).Distinct())))
            {
                yield return line;
            }
        }

        foreach (var line in summary.Unscored.SelectMany(reason =>
            PeopleTable.Wrapped($"unscored by {reason.Judge}: {reason.Count}: {reason.Reason}")))
        {
            yield return line;
        }
    }
}
