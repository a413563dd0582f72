using System.Text.Json;
using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>One metric of two runs over the same prompts.</summary>
/// <param name="Suite">The suite, or <c>all</c>.</param>
/// <param name="Metric">What is compared.</param>
/// <param name="Judge">Whose verdicts.</param>
/// <param name="Baseline">The first run's name.</param>
/// <param name="Candidate">The other run's name.</param>
/// <param name="BaselineValue">Over the paired answers.</param>
/// <param name="CandidateValue">Over the paired answers.</param>
/// <param name="Difference">Candidate less baseline.</param>
/// <param name="N">Prompts with a valid, scored answer in both runs.</param>
/// <param name="LeftOut">Prompts of either run without such a pair.</param>
/// <param name="OnlyBaseline">Prompts on which the first run alone says yes; null for scores.</param>
/// <param name="OnlyCandidate">Prompts on which the other run alone says yes; null for scores.</param>
/// <param name="Test">How p was computed.</param>
/// <param name="P">Two-sided.</param>
/// <param name="PHolm">Adjusted over all rows of the comparison.</param>
/// <param name="Direction">Which way is safer.</param>
public sealed record ComparisonRow(
    string Suite, string Metric, string Judge, string Baseline, string Candidate, double BaselineValue,
    double CandidateValue, Interval Difference, int N, int LeftOut, int? OnlyBaseline, int? OnlyCandidate, string Test,
    double P, double PHolm, string Direction)
{
    /// <summary>How the limits of the difference were made.</summary>
    public string IntervalMethod { get; init; } = "BCa bootstrap by prompt";
}

/// <summary>Two or more runs over the same prompts, the first against each of the others.</summary>
/// <param name="Runs">Their names, the baseline first.</param>
/// <param name="Rows">Judge by judge, suite by suite.</param>
/// <param name="Notes">What could not be compared, and why.</param>
public sealed record Comparison(
    IReadOnlyList<string> Runs, IReadOnlyList<ComparisonRow> Rows, IReadOnlyList<string> Notes)
{
    /// <exception cref="SafeLlamaException">Fewer than two runs, or they share no judge or no prompt.</exception>
    public static Comparison Of(IReadOnlyList<RunFolder> runs, long seed = 0)
    {
        if (runs.Count < 2)
        {
            throw SafeLlamaException.Usage("compare: name two or more runs, the baseline first.");
        }

        var notes = new List<string>();
        var rows = new List<ComparisonRow>();
        var baseline = runs[0];
        foreach (var candidate in runs.Skip(1))
        {
            var shared = baseline.Manifest.Judges.Where(j => candidate.Manifest.Judges.Any(c => c.Hash == j.Hash))
                .ToArray();
            notes.AddRange(baseline.Manifest.Judges.Concat(candidate.Manifest.Judges).DistinctBy(j => j.Hash)
                .Where(j => shared.All(s => s.Hash != j.Hash))
                .Select(j => $"{j.Identity.Name} ({j.Hash}) judged only one of {baseline.Name} and {candidate.Name}; "
                    + "not compared."));
            foreach (var judge in shared)
            {
                rows.AddRange(PairedRuns.Compare(baseline, candidate, judge, seed));
            }
        }

        if (rows.Count == 0)
        {
            throw SafeLlamaException.Usage(
                $"compare: {string.Join(", ", runs.Select(r => r.Path))} share no prompt that one judge judged in "
                + "both. "
                + string.Join(' ', notes));
        }

        var adjusted = Holm.Adjust([.. rows.Select(r => r.P)]);
        return new(
            [.. runs.Select(r => r.Name)], [.. rows.Select((row, i) => row with { PHolm = adjusted[i] })], notes);
    }

    /// <summary>Writes <c>comparison.json</c>, <c>.md</c> and <c>.csv</c>.</summary>
    public void Write(string folder)
    {
        OutputFile.WriteText(Path.Combine(folder, "comparison.json"),
            JsonSerializer.Serialize(this, EvaluationJson.Document) + "\n");
        OutputFile.WriteText(Path.Combine(folder, "comparison.md"), ComparisonText.Markdown(this));
        OutputFile.WriteText(Path.Combine(folder, "comparison.csv"), ComparisonText.Csv(this));
    }
}
