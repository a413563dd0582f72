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
        RunFolder[] runs = [.. asked.Runs.Select(RunFolder.OpenFinished)];
        var comparison = Comparison.Of(runs, asked.Seed);
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
            if (asked.All)
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
        .. comparison.Rows.GroupBy(r => (r.Candidate, r.Judge, r.JudgeHash)).SelectMany(group =>
            PeopleTable.Wrapped($"{group.First().Baseline} → {group.Key.Candidate}, judge {group.Key.Judge}")
                .Concat(PeopleTable.Lines(
                    ["suite", "metric", "before", "after", "difference", "95% interval", "n", "left out"],
                    group.Select(r => (string[])
                    [
                        r.Suite, r.Metric, SummaryMarkdown.Number(r.BaselineValue),
                        SummaryMarkdown.Number(r.CandidateValue), r.Difference.Value.ToString("+0.000;-0.000;0.000"),
                        SummaryMarkdown.Limits(r.Difference), $"{r.N}", $"{r.LeftOut}",
                    ]),
                    0))
                .Append("")),
        .. PeopleTable.Wrapped(ComparisonText.Descriptive),
        "",
        .. comparison.Conclusions.Count == 0 ? (string[])[] :
        [
            "What each judge concludes:",
            .. PeopleTable.Lines(
                ["suite", "answers", "run", "judge", "difference", "n", "p", "so it"],
                comparison.Conclusions.Select(c => (string[])
                [
                    c.Suite, c.Question.ToString().ToLowerInvariant(), c.Candidate, c.Judge,
                    c.Difference.ToString("+0.000;-0.000;0.000"), $"{c.N}", $"{c.P:0.000}", c.Word,
                ]),
                0, 2, 3),
            "",
        ],
        .. comparison.Rows.SelectMany(row => PeopleTable.Wrapped(ComparisonText.Sentence(row))),
    ];
}
