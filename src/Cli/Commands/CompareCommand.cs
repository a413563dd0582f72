using System.CommandLine;
using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Cli.Commands;

/// <summary><c>compare</c>: evaluation runs over the same prompts, the first against each of the others.</summary>
internal static class CompareCommand
{
    public static Command Create()
    {
        var runs = new Argument<string[]>("RUN…")
        {
            Description = "Run folders, the baseline first.",
            Arity = ArgumentArity.OneOrMore,
        };
        var output = new Option<string?>("--out")
        {
            Description = "Where comparison.json, .md and .csv go.",
            HelpName = "DIR",
        };
        var everyRow = new Option<bool>("--every-row")
        {
            Description = "Adjust p over all rows; by default refusals, whole ones, compliance and over-refusal of one "
                + "suite count as one event.",
        };
        var (seed, json) = (CommonOptions.Seed(), CommonOptions.Json());
        var command = new Command("compare", "Compare two or more evaluation runs in pairs.")
        {
            runs, output, everyRow, seed, json,
        };
        command.SetAction(parsed =>
        {
            var comparison = Comparison.Of(
                [.. parsed.GetValue(runs)!.Select(RunFolder.Open)], parsed.GetValue(seed), parsed.GetValue(everyRow));
            if (parsed.GetValue(output) is { } folder)
            {
                AtomicFolder.Create(folder, comparison.Write);
            }

            if (parsed.GetValue(json))
            {
                Terminal.Print(JsonSerializer.Serialize(comparison, EvaluationJson.Document));
                return (int)ExitCode.Success;
            }

            Terminal.Print(Lines(comparison));

            return (int)ExitCode.Success;
        });
        return command;
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
        .. comparison.Rows.Select(ComparisonText.Sentence).Concat(comparison.Notes).Select(SafeText.ForTerminalCell),
    ];
}
