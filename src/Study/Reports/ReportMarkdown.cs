using System.Text;
using SafeLlama.Common;

namespace SafeLlama.Study;

/// <summary>The report's tables as Markdown, for a terminal, a pull request or <c>docs/results</c>.</summary>
public static class ReportMarkdown
{
    public static string Render(StudyReport report)
    {
        var text = new StringBuilder();
        var recipe = report.Results.Recipe;
        text.Append($"# {Cell(recipe.Question)}\n\n");
        text.Append($"Study {Cell(recipe.Name)}: {Counted.Of(report.Results.Arms.Count, "arm")}, "
            + $"{Counted.Of(recipe.Models.Count, "base model")}, "
            + $"{Counted.Of(recipe.Seeds.Count, "tuning seed")}. Rates in percent with 95% limits over prompts "
            + "and replicates.\n\n");

        text.Append("## Claims\n\n");
        Row(text, ["Statement", "Outcome", "Difference, points", "p", "n"]);
        Row(text, ["---", "---", "---", "---", "---"]);
        foreach (var outcome in report.Results.Claims)
        {
            Row(text,
            [
                Cell(outcome.Claim.Statement),
                $"**{ReportText.Verdict(outcome.Verdict)}**"
                    + (StudyAnswer.IsOpen(outcome) ? $": {Cell(outcome.Note)}" : ""),
                outcome.Found is { } found ? Cell(FindingText.Of(found)) : ReportText.Points(outcome.Difference),
                Cell(ReportText.P(outcome.P)),
                StudyAnswer.IsOpen(outcome) ? "–" : $"{outcome.Prompts} × {outcome.Replicates}",
            ]);
        }

        text.Append("\n## Arms\n\n");
        Row(text, ["Arm", "Ns", "Share", "Format", .. recipe.Metrics.Select(Heading)]);
        Row(text, [.. Enumerable.Repeat("---", 4 + recipe.Metrics.Count)]);
        foreach (var arm in report.Results.Arms)
        {
            Row(text,
            [
                Cell(arm.Arm.Name),
                arm.Safety.ToString(),
                Percent.Of(arm.Share),
                arm.Safety == 0 ? "–" : arm.Arm.Format.ToString().ToLowerInvariant(),
                .. recipe.Metrics.Select(m => Metric(arm.Metric(m.Name))),
            ]);
        }

        if (recipe.Models.Count > 1)
        {
            Bases(text, report);
        }

        return text.ToString();
    }

    /// <summary>
    /// The share on each base model, its seeds averaged, and the spread between bases and between seeds.
    /// </summary>
    private static void Bases(StringBuilder text, StudyReport report)
    {
        var models = report.Results.Recipe.Models;
        text.Append("\n## Between bases and seeds\n\n");
        Row(text, ["Metric", "Arm", .. models.Select(Cell), "SD between bases", "SD between seeds"]);
        Row(text, [.. Enumerable.Repeat("---", 4 + models.Count)]);
        foreach (var metric in report.Compared)
        {
            foreach (var arm in report.Results.Arms)
            {
                var result = arm.Metric(metric.Name);
                Row(text,
                [
                    Cell(metric.Title), Cell(arm.Arm.Name), .. result.PerModel.Select(share => Percent.Of(share)),
                    result.ModelSpread is { } bases ? ReportText.Points(bases) : "–",
                    result.SeedSpread is { } seeds ? ReportText.Points(seeds) : "–",
                ]);
            }
        }
    }

    private static string Metric(MetricResult result)
    {
        var spread = ReportText.Spread(result) is { Length: > 0 } sd ? ", " + sd : "";
        var invalid = result.Invalid > 0 ? $", {result.Invalid} invalid" : "";
        var stalls = result.Stalls > 0 ? ", " + Counted.Of(result.Stalls, "stall") : "";
        return $"{ReportText.Rate(result.Value)} (n {result.Prompts} × "
            + $"{result.PerReplicate.Count}{spread}{invalid}{stalls})";
    }

    private static string Heading(StudyMetric metric) =>
        Cell($"{metric.Title} ({(metric.LowerIsBetter ? "lower" : "higher")} is better)");

    private static void Row(StringBuilder text, IReadOnlyList<string> cells) =>
        text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");

    private static string Cell(string text) => SafeText.ForMarkdown(text);
}
