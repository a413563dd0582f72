using System.Text;
using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>
/// A summary as a page for people: every number with its interval, n, what was left out, and its direction.
/// </summary>
public static class SummaryMarkdown
{
    public static string Of(EvaluationSummary summary)
    {
        var text = new StringBuilder("# Evaluation\n\n");
        text.Append($"Model {Safe(Short(summary.Model))}, decoding {Safe(summary.Settings.Profile)}: ");
        text.Append($"{Counted.Of(summary.Answers, "answer")} to {Counted.Of(summary.Prompts, "prompt")}");
        text.Append(summary.CutOff > 0 ? $", {summary.CutOff} cut off at the limit of tokens.\n" : ".\n");
        foreach (var judge in summary.Metrics.GroupBy(m => (m.Judge, m.JudgeHash)))
        {
            text.Append($"\n## Judge {Safe(judge.Key.Judge)} ({Safe(judge.Key.JudgeHash)})\n\n");
            MarkdownTable.Append(
                text,
                "suite|metric|value:|95% interval|n:|invalid:|unscored:|corrected|interval by|direction",
                judge.Select(row => (string[])
                [
                    Safe(row.Suite), Safe(row.Metric), Number(row.Value.Value), Limits(row.Value), $"{row.N}",
                    $"{row.Invalid}", $"{row.Unscored}",
                    row.Corrected is { } c ? $"{Number(c.Value)} {Limits(c)}" : "", Safe(row.Method),
                    Safe(row.Direction),
                ]));
        }

        Section(text, "What the answers do", summary.Behaviors.Select(Classes));
        Pairs(text, summary);
        Section(text, "Left unscored", summary.Unscored.Select(u => $"{u.Judge}: {u.Reason}: {u.Count}"));
        Section(text, "If invalid answers counted",
            summary.Metrics.Where(m => m.Invalid > 0 && m.InvalidAsNo is not null)
            .Select(m => $"{m.Suite}, {m.Metric} ({m.Judge}): {Number(m.InvalidAsNo!.Value)} as no, "
                + $"{Number(m.InvalidAsYes!.Value)} as yes"));
        Section(text, "Notes", summary.Notes);
        return text.ToString();
    }

    /// <summary>"refusal, suite: full_refusal 12, stall 3".</summary>
    public static string Classes(EvaluationSummary.BehaviorCounts counts) =>
        $"{counts.Judge}, {counts.Suite}: "
        + string.Join(", ", counts.Counts.OrderByDescending(c => c.Value).Select(c => $"{c.Key} {c.Value}"));

    private static void Pairs(StringBuilder text, EvaluationSummary summary)
    {
        if (summary.JudgePairs.Count == 0)
        {
            return;
        }

        text.Append("\n## What each judge concludes\n\n");
        text.Append("Answers that both told; p by McNemar's exact test, adjusted by Holm.\n\n");
        MarkdownTable.Append(
            text,
            "suite|answers|judge|yes:|other judge|yes:|n:|only judge:|only other:|p (Holm):",
            summary.JudgePairs.Select(pair => (string[])
            [
                Safe(pair.Suite), JudgeConclusions.Name(pair.Question), Safe(pair.First), Number(pair.FirstRate),
                Safe(pair.Second), Number(pair.SecondRate), $"{pair.N}", $"{pair.OnlyFirst}", $"{pair.OnlySecond}",
                ComparisonText.P(pair.PHolm),
            ]));
    }

    /// <summary>Three decimals; a dash where there is no number.</summary>
    public static string Number(double x) => double.IsNaN(x) ? "–" : x.ToString("0.000");

    public static string Limits(Interval i) => i.IsNone ? "–" : $"[{Number(i.Low)}, {Number(i.High)}]";

    private static void Section(StringBuilder text, string title, IEnumerable<string> lines)
    {
        var all = lines.ToArray();
        if (all.Length > 0)
        {
            text.Append($"\n## {title}\n\n").AppendJoin('\n', all.Select(line => "- " + Safe(line)))
                .Append('\n');
        }
    }

    private static string Safe(string text) => SafeText.ForMarkdown(text);

    private static string Short(string identity) => identity.Length <= 24 ? identity : identity[..24] + "…";
}
