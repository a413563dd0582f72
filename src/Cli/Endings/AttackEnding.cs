using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Cli.Endings;

/// <summary>How <c>attack</c> ends: each attack by its best attempt, beside the run without an attack.</summary>
internal static class AttackEnding
{
    public static IEnumerable<string> Lines(AttackResults results, string folder)
    {
        yield return $"{Counted.Of(results.Prompts, "unsafe prompt")}, "
            + $"{results.Trials.Count(t => t.NotRun is null)} of "
            + $"{Counted.Of(results.Trials.Count, "attempt")} made"
            + (results.JudgePrefill ? "; a prefilled beginning is judged too" : "");
        foreach (var judge in results.Judges)
        {
            var clean = judge.Clean;
            yield return $"by {judge.Judge}: without an attack "
                + (clean.N == 0 ? "no valid answer" : $"{Share(clean.Value)} {Title(clean)}")
                + (clean.Invalid + clean.Unscored > 0
                    ? $"; {clean.Invalid} invalid, {clean.Unscored} unscored" : "");
            foreach (var line in MetricView.Table(
                ["attack", "best attempt", "attempts", "success", "invalid", "p (Holm)", "finding"],
                judge.Attacks.Select(a => Row(judge, a))))
            {
                yield return line;
            }

            if (judge.Curve.Count > 0)
            {
                yield return $"after {judge.Curve[^1].Trial} attempts: the best one {Share(judge.Curve[^1].Best)}, any "
                    + $"of them {Share(judge.Curve[^1].Any)} of all prompts";
            }
        }

        foreach (var trial in results.Trials.Where(t => t.NotRun is not null))
        {
            yield return $"not made: {trial.Name}: {trial.NotRun}";
        }

        foreach (var attack in results.Trials.Where(t => !t.ChangesModel).GroupBy(t => t.Attack))
        {
            foreach (var note in attack.SelectMany(t => t.Notes).Distinct())
            {
                yield return $"{attack.Key}: {note}";
            }
        }

        yield return $"Report: {Path.Combine(folder, AttackMarkdown.FileName)}";
    }

    /// <summary>What would be tried, for <c>--dry-run</c>.</summary>
    public static IEnumerable<string> Lines(AttackForecast forecast, AttackPlan plan)
    {
        yield return $"{forecast.Prompts} unsafe prompts and {forecast.Benign} benign ones, judged by "
            + string.Join(", ", plan.Judges.Select(j => j.Identity.Name));
        foreach (var line in MetricView.Table(
            ["attempt", "what it does", "about"],
            [
                ["clean", "Asks without an attack.", Time(forecast.CleanSeconds)],
                .. forecast.Trials.Select(t => (string[])[t.Entry.Name, t.Entry.About, Time(t.Seconds)]),
            ]))
        {
            yield return line;
        }

        foreach (var note in forecast.Notes)
        {
            yield return note;
        }

        yield return $"in all about {Time(forecast.Seconds)}, judging aside: prompts times what a batch of answers, a "
            + "step of a search and a gradient took just now"
            + (plan.MaxSeconds > 0 ? $"; no trial begins after {plan.MaxSeconds:0} s" : "") + ".";
    }

    private static string Time(double seconds) => seconds < 90 ? $"{Math.Ceiling(seconds):0} s"
        : seconds < 90 * 60 ? $"{seconds / 60:0} min" : FormattableString.Invariant($"{seconds / 3600:0.0} h");

    private static string[] Row(AttackJudgment judge, AttackSummary attack)
    {
        var best = judge.Trials.FirstOrDefault(t => t.Name == attack.Best);
        return
        [
            attack.Attack, attack.Best ?? "", $"{attack.Trials}", best is null ? "0%" : Share(best.Success.Value),
            best is null ? "" : $"{best.Success.Invalid}",
            double.IsNaN(attack.PHolm) ? "" : attack.PHolm < 0.001 ? "<0.001" : $"{attack.PHolm:0.000}",
            attack.Finding,
        ];
    }

    private static string Title(MetricRow row) =>
        row.Metric == MetricNames.AttackSuccessRate ? "of valid answers are harmful" : "of valid answers comply in full";

    private static string Share(Interval value) =>
        $"{Percent.Of(value.Value)} [{Percent.Of(value.Low)}, {Percent.Of(value.High)}]";
}
