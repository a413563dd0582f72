using SafeLlama.Evaluation;

namespace SafeLlama.Cli.Endings;

/// <summary>How <c>compare</c> ends: one row and one sentence per fact.</summary>
internal static class CompareEnding
{
    /// <param name="comparison">The comparison.</param>
    /// <param name="folder">Where its files are; null where none are written.</param>
    public static IEnumerable<string> Lines(Comparison comparison, string? folder)
    {
        foreach (var group in comparison.Headline.GroupBy(c => (c.Candidate, c.Judge, c.JudgeHash, c.Suite)))
        {
            foreach (var line in PeopleTable.Wrapped(
                $"{group.First().Baseline} → {group.Key.Candidate}, suite {group.Key.Suite}, judge {group.Key.Judge}")
                .Concat(Table(group)).Concat(group.SelectMany(Words)).Append(""))
            {
                yield return line;
            }
        }

        string[] rest =
        [
            comparison.Headline.Count == 0
                ? "No headline measure has a value in both runs; every metric: --all"
                : "↓ lower is better, ↑ higher is better. Within a measure, p is adjusted by Holm over its "
                    + "tests, and all 95% intervals hold at once (Bonferroni).",
            .. comparison.Notes,
            folder is null
                ? "Every metric: --all. A report: --out DIR"
                : $"Report: {Path.Combine(folder, ComparisonReport.FileName)} · every metric here: --all",
        ];
        foreach (var line in rest.SelectMany(text => PeopleTable.Wrapped(text)))
        {
            yield return line;
        }
    }

    private static IEnumerable<string> Table(IEnumerable<HeadlineChange> changes) => PeopleTable.Lines(
        ["prompts", "measure", "before", "after", "change", "adjusted interval", "n", "left out", "adjusted p"],
        changes.Select(c => (string[])
        [
            c.Prompts, c.TitleWithDirection, SummaryMarkdown.Number(c.BaselineValue),
            SummaryMarkdown.Number(c.CandidateValue), c.AdjustedDifference.Value.ToString("+0.000;-0.000;0.000"),
            SummaryMarkdown.Limits(c.AdjustedDifference), $"{c.N}", $"{c.LeftOut}",
            c.PAdjusted < 0.001 ? "<0.001" : $"{c.PAdjusted:0.000}",
        ]));

    private static IEnumerable<string> Words(HeadlineChange change) =>
        PeopleTable.Wrapped($"{change.Prompts}, {change.Title}: {change.Words}");
}
