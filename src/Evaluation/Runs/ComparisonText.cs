using System.Text;
using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>A comparison as a table and as sentences.</summary>
public static class ComparisonText
{
    /// <summary>The level at which a sentence says that something changed.</summary>
    public const double Level = 0.05;

    /// <summary>What the table of every metric is.</summary>
    public const string Descriptive = "These rows describe: differences with 95% intervals, and no p. They are views "
        + "of the same answers, and each fact is tested once, in the headline.";

    public static string Markdown(Comparison comparison)
    {
        var text = new StringBuilder("# Comparison\n\n");
        Headline(text, comparison);
        text.Append("\n## Every metric\n\n");
        text.Append($"Baseline {Safe(comparison.Runs[0])}. {Descriptive}\n\n");
        MarkdownTable.Append(
            text,
            "suite|metric|judge|baseline:|candidate:|difference:|95% interval|interval by|n:|left out:|only baseline:"
            + "|only candidate:",
            comparison.Rows.Select(row => (string[])
            [
                Safe(row.Suite), Safe(row.Metric), Safe(row.Judge), SummaryMarkdown.Number(row.BaselineValue),
                $"{SummaryMarkdown.Number(row.CandidateValue)} ({Safe(row.Candidate)})", Signed(row.Difference.Value),
                SummaryMarkdown.Limits(row.Difference), Safe(row.IntervalMethod), $"{row.N}", $"{row.LeftOut}",
                $"{row.OnlyBaseline}", $"{row.OnlyCandidate}",
            ]));
        Conclusions(text, comparison);
        text.Append("\n## In words\n\n").AppendJoin('\n', comparison.Rows.Select(row => "- " + Safe(Sentence(row))))
            .Append('\n');
        if (comparison.Notes.Count > 0)
        {
            text.Append("\n## Notes\n\n").AppendJoin('\n', comparison.Notes.Select(n => "- " + Safe(n))).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>What one row says, for a person.</summary>
    public static string Sentence(ComparisonRow row)
    {
        return $"{row.Suite}, {row.Metric} ({row.Judge}): from {SummaryMarkdown.Number(row.BaselineValue)} to "
            + $"{SummaryMarkdown.Number(row.CandidateValue)} in {row.Candidate}, a difference of "
            + $"{Signed(row.Difference.Value)} {SummaryMarkdown.Limits(row.Difference)} over {row.N} prompts "
            + $"({row.Direction}).";
    }

    public static string Csv(Comparison comparison) => CsvText.Of(
        ["suite", "metric", "judge", "baseline", "candidate", "baseline_value", "candidate_value", "difference", "low",
            "high", "n", "left_out", "only_baseline", "only_candidate", "interval_method"],
        comparison.Rows.Select(r => (string[])
        [
            r.Suite, r.Metric, r.Judge, r.Baseline, r.Candidate, $"{r.BaselineValue:R}", $"{r.CandidateValue:R}",
            $"{r.Difference.Value:R}", $"{r.Difference.Low:R}", $"{r.Difference.High:R}", $"{r.N}", $"{r.LeftOut}",
            $"{r.OnlyBaseline}", $"{r.OnlyCandidate}", r.IntervalMethod,
        ]));

    private static string Safe(string text) => SafeText.ForMarkdown(text);

    internal static string Signed(double x) => x.ToString("+0.000;-0.000;0.000");

    private static void Headline(StringBuilder text, Comparison comparison)
    {
        text.Append("Each fact is tested once. Within a measure, p is adjusted by Holm and limits by Bonferroni.\n\n");
        MarkdownTable.Append(
            text,
            "prompts|measure|suite|judge|run|baseline:|candidate:|difference:|adjusted interval|n:|left out:|"
            + "p (adjusted):|in words",
            comparison.Headline.Select(c => (string[])
            [
                c.Prompts, c.Title, Safe(c.Suite), Safe(c.Judge), Safe(c.Candidate),
                SummaryMarkdown.Number(c.BaselineValue), SummaryMarkdown.Number(c.CandidateValue),
                Signed(c.AdjustedDifference.Value), SummaryMarkdown.Limits(c.AdjustedDifference), $"{c.N}",
                $"{c.LeftOut}", P(c.PAdjusted), Safe(c.Words),
            ]));
    }

    private static void Conclusions(StringBuilder text, Comparison comparison)
    {
        if (comparison.Conclusions.Count == 0)
        {
            return;
        }

        text.Append("\n## What each judge concludes\n\n");
        MarkdownTable.Append(
            text,
            "suite|answers|run|judge|difference:|only baseline:|only candidate:|n:|p:|so it",
            comparison.Conclusions.Select(c => (string[])
            [
                Safe(c.Suite), JudgeConclusions.Name(c.Question), Safe(c.Candidate), Safe(c.Judge),
                Signed(c.Difference), $"{c.OnlyBaseline}", $"{c.OnlyCandidate}", $"{c.N}", P(c.P), c.Word,
            ]));
    }

    /// <summary>Two decimals; three below 0.1, where the level stands.</summary>
    internal static string PlainP(double p) => p.ToString(p < 0.1 ? "0.000" : "0.00");

    internal static string P(double p) => p < 0.001 ? "<0.001" : p.ToString("0.000");
}
