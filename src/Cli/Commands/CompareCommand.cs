using System.CommandLine;
using SafeLlama.Cli.Endings;
using SafeLlama.Cli.Options;
using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Cli.Commands;

/// <summary><c>compare</c>: evaluation runs over the same prompts, the first against each of the others.</summary>
internal static class CompareCommand
{
    public static Command Create()
    {
        var options = new CompareOptions();
        return options.Verb("compare", "Compare two or more evaluation runs in pairs.", (asked, parsed) =>
        {
            if (asked.Json)
            {
                options.Refuse(parsed, "with --json", nameof(asked.All));
            }

            if (asked.Out is null)
            {
                options.Refuse(parsed, "without --out, which writes the report", nameof(asked.Open));
            }

            return Run(asked);
        });
    }

    private static ExitCode Run(CompareOptions.Request asked)
    {
        var browser = asked.Open ? Browser.Find(Environment.GetEnvironmentVariable) : null;
        RunFolder[] runs = [.. asked.Runs.Select(RunFolder.Open)];
        var comparison = Comparison.Of(runs, asked.Seed, asked.EveryRow);
        if (asked.Out is { } folder)
        {
            AtomicFolder.Create(folder, made =>
            {
                comparison.Write(made);
                ComparisonReport.Of(comparison, runs).Write(made);
            });
        }

        if (asked.Json)
        {
            Terminal.PrintDocument(comparison);
        }
        else
        {
            // Adjusting over every row changes those rows alone, so that they are shown.
            if (asked.All || (asked.EveryRow && asked.Out is null))
            {
                Terminal.Print([.. Lines(comparison), ""]);
            }

            Terminal.Print(CompareEnding.Lines(comparison, asked.Out));
        }

        browser?.Open(Path.Combine(asked.Out ?? "", ComparisonReport.FileName));
        return ExitCode.Success;
    }

    private static IEnumerable<string> Lines(Comparison comparison) =>
    [
        .. MetricView.Table(
            ["suite", "metric", "judge", "baseline", "candidate", "run", "difference", "95% interval", "n", "left out",
                "p", "p (Holm)", "test"],
            comparison.Rows.Select(r => (string[])
            [
                r.Suite, r.Metric, r.Judge, SummaryMarkdown.Number(r.BaselineValue),
                SummaryMarkdown.Number(r.CandidateValue),
                r.Candidate, r.Difference.Value.ToString("+0.000;-0.000;0.000"), SummaryMarkdown.Limits(r.Difference),
                $"{r.N}",
                $"{r.LeftOut}", $"{r.P:0.000}", $"{r.PHolm:0.000}", r.Test,
            ])),
        "",
        .. comparison.Conclusions.Count == 0 ? (string[])[] :
        [
            "What each judge concludes:",
            .. MetricView.Table(
                ["suite", "answers", "run", "judge", "difference", "n", "p", "so it"],
                comparison.Conclusions.Select(c => (string[])
                [
                    c.Suite, c.Question.ToString().ToLowerInvariant(), c.Candidate, c.Judge,
                    c.Difference.ToString("+0.000;-0.000;0.000"), $"{c.N}", $"{c.P:0.000}", c.Word,
                ])),
            "",
        ],
        .. comparison.Rows.Select(ComparisonText.Sentence).Select(SafeText.ForTerminalCell),
    ];
}
