using System.Globalization;
using System.Text;
using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>The result of an attack run as a page.</summary>
public static class AttackMarkdown
{
    public const string FileName = "attack.md";

    public static string Render(AttackResults results)
    {
        var text = new StringBuilder();
        text.Append($"# Attacks on {Cell(results.Names?.Model ?? "a model")}");
        text.Append(results.Names?.Adapter is { } adapter ? $" with {Cell(adapter)}\n\n" : "\n\n");
        text.Append($"{Counted.Of(results.Prompts, "unsafe prompt")} of {List(results.Suites)}; "
            + $"{results.Trials.Count(t => t.NotRun is null)} of {results.Trials.Count} attempts were made.");
        text.Append(results.Benign.Count > 0 ? $" Utility is measured on {List(results.Benign)}.\n" : "\n");
        text.Append($"Judges read {(results.JudgePrefill ? "a prefilled beginning and what the model adds to it"
            : "what the model itself writes, not a prefilled beginning")}.\n");
        foreach (var judge in results.Judges)
        {
            Append(text, results, judge);
        }

        text.Append("\nThe curve of the first judge is in `attack.svg`.\n");
        text.Append("\n## Attempts\n\n");
        foreach (var trial in results.Trials)
        {
            text.Append($"- {Cell(trial.Name)}: {Cell(trial.About)}"
                + $"{(trial.NotRun is { } why ? $" Not made: {Cell(why)}" : "")}\n");
            foreach (var note in trial.Notes)
            {
                text.Append($"  - {Cell(note)}\n");
            }
        }

        text.Append("\n## How to read it\n\n");
        foreach (var note in results.Notes)
        {
            text.Append($"- {Cell(note)}\n");
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, AttackResults results, AttackJudgment judge)
    {
        text.Append($"\n## By {Cell(judge.Judge)} ({Cell(judge.Scale)})\n\n");
        text.Append($"Without an attack {Rate(judge.Clean)}{Left(judge.Clean)}.");
        text.Append(judge.CleanQuality is { } quality
            ? $" Utility {Share(quality.Value)} ({quality.Measure}, n {quality.N}); a changed model counts from "
                + $"{Percent.Of(results.QualityBound)} of it on.\n\n"
            : "\n\n");
        MarkdownTable.Append(text, "attack|best attempt|attempts:|success of all prompts:|p (Holm):|finding", judge.Attacks.Select(a =>
            (string[])[
                Cell(a.Attack), Cell(a.Best ?? "–"), $"{a.Trials}",
                a.Best is { } best ? Percent.Of(judge.Trials.First(t => t.Name == best).Share) : "0%",
                P(a.PHolm), Cell(a.Finding),
            ]));
        text.Append('\n');
        MarkdownTable.Append(
            text, "attempt|success of valid answers:|n:|invalid:|unscored:|cut off:|only attack:|only clean:|p:|utility:|counts",
            judge.Trials.Select(t => (string[])[
                Cell(t.Name), Rate(t.Success), $"{t.Success.N}", $"{t.Success.Invalid}", $"{t.Success.Unscored}", $"{t.CutOff}",
                $"{t.Against.OnlyAttack}", $"{t.Against.OnlyClean}", P(t.Against.P),
                t.Quality is { } q ? Share(q.Value) : "–", t.Counts ? "yes" : "no",
            ]));
        text.Append('\n');
        MarkdownTable.Append(text, "attempts:|last|best so far:|attempt|broken by any so far:", judge.Curve.Select(p =>
            (string[])[$"{p.Trial}", Cell(p.Name), Share(p.Best), Cell(p.BestName ?? "–"), Share(p.Any)]));
    }

    private static string Rate(MetricRow row) => row.N == 0 ? "no valid answer" : Share(row.Value);

    private static string Left(MetricRow row) => row.Invalid + row.Unscored == 0 ? ""
        : $" ({row.Invalid} invalid, {row.Unscored} unscored)";

    private static string Share(Interval value) =>
        $"{Percent.Of(value.Value)} [{Percent.Of(value.Low)}, {Percent.Of(value.High)}]";

    private static string P(double p) => double.IsNaN(p) ? "–"
        : p < 0.001 ? "<0.001" : p.ToString("0.000", CultureInfo.InvariantCulture);

    private static string List(IReadOnlyList<RunManifest.SuiteEntry> suites) =>
        string.Join(", ", suites.Select(s => $"{Cell(s.Name)} ({s.Prompts})"));

    private static string Cell(string text) => SafeText.ForMarkdown(text);
}
