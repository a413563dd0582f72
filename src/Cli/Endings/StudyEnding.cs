using SafeLlama.Common;
using SafeLlama.Evaluation;
using SafeLlama.Study;

namespace SafeLlama.Cli.Endings;

/// <summary>How <c>study</c> ends: the question, the arms' headline and the claims.</summary>
internal static class StudyEnding
{
    /// <summary>More measures than this do not fit beside an arm.</summary>
    private const int MostMeasures = 3;

    /// <param name="report">The report.</param>
    /// <param name="color">Whether marks have colors.</param>
    public static IEnumerable<string> Lines(StudyReport report, bool color)
    {
        var results = report.Results;
        StudyMetric[] shown = [.. report.Headline.Take(MostMeasures)];
        const int Arm = 0;
        return
        [
            .. PeopleTable.Wrapped(results.Recipe.Question, indent: 0),
            .. results.Analyses is { Count: > 0 }
                ?
                [
                    "", .. PeopleTable.Wrapped(StudyAnswer.Of(results)),
                    .. StudyAnswer.Further(results).SelectMany(sentence => PeopleTable.Wrapped(sentence)),
                ]
                : (string[])[],
            "",
            .. PeopleTable.Lines(
                ["arm", "demos", "share", .. shown.Select(m => HeadlineMetric.WithDirection(m.Title, m.LowerIsBetter)), "n"],
                results.Arms.Select(arm => (string[])
                [
                    arm.Arm.Name, $"{arm.Safety}", Percent.Of(arm.Share),
                    .. shown.Select(m => ReportText.Rate(arm.Metric(m.Name).Value)),
                    string.Join('/', shown.Select(m => arm.Metric(m.Name).Prompts)) + $" × {arm.Replicates}",
                ]),
                Arm),
            .. PeopleTable.Wrapped(Legend(results, shown)),
            .. results.Claims.Count == 0 ? (string[])[] : ["", "Claims"],
            .. results.Claims.SelectMany(claim => Claim(claim, color)),
        ];
    }

    private static string Legend(StudyResults results, StudyMetric[] shown)
    {
        var invalid = results.Arms.Sum(arm => shown.Sum(m => arm.Metric(m.Name).Invalid));
        return "↓ lower is better, ↑ higher is better; 95% limits over prompts and replicates; n is prompts × "
            + "replicates"
            + (invalid > 0 ? $"; {invalid} invalid answers left out" : "")
            + (results.Recipe.Metrics.Count > shown.Length
                ? $"; {Counted.Of(results.Recipe.Metrics.Count - shown.Length, "more measure")} in the report"
                : "") + ".";
    }

    private static IEnumerable<string> Claim(ClaimOutcome claim, bool color)
    {
        var (mark, paint) = claim.Verdict switch
        {
            ClaimVerdict.Reproduced => ('✓', "\u001b[32m"),
            ClaimVerdict.NotReproduced => ('✗', "\u001b[31m"),
            _ => ('?', "\u001b[33m"),
        };
        var text = $"{mark} {claim.Claim.Statement} ({StudyAnswer.Verdict(claim)})";

        // Color is added after text from files has been escaped.
        return PeopleTable.Wrapped(text).Select((line, i) =>
            i == 0 && color ? $"{paint}{line[0]}\u001b[0m{line[1..]}" : line);
    }
}
