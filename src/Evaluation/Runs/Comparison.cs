using System.Text.Json;
using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>One metric of two runs over the same prompts: a difference with its limits, and no test.</summary>
/// <remarks>
/// Refusals, full refusals, compliance and over-refusal are views of one fact, so that only the headline tests it.
/// </remarks>
/// <param name="Suite">The suite, or <c>all</c>.</param>
/// <param name="Metric">The metric that is compared.</param>
/// <param name="Judge">The judge of the verdicts.</param>
/// <param name="Baseline">The first run's name.</param>
/// <param name="Candidate">The other run's name.</param>
public sealed record ComparisonRow(string Suite, string Metric, string Judge, string Baseline, string Candidate)
{
    /// <summary>Over the paired answers.</summary>
    public required double BaselineValue { get; init; }

    /// <summary>Over the paired answers.</summary>
    public required double CandidateValue { get; init; }

    /// <summary>Candidate less baseline.</summary>
    public required Interval Difference { get; init; }

    /// <summary>Prompts with a valid, scored answer in both runs.</summary>
    public required int N { get; init; }

    /// <summary>Prompts of either run without such a pair.</summary>
    public required int LeftOut { get; init; }

    /// <summary>Prompts on which the first run alone says yes; null for scores.</summary>
    public required int? OnlyBaseline { get; init; }

    /// <summary>Prompts on which the other run alone says yes; null for scores.</summary>
    public required int? OnlyCandidate { get; init; }

    /// <summary>Which way is safer.</summary>
    public required string Direction { get; init; }

    /// <summary>The judge's identity.</summary>
    public string JudgeHash { get; init; } = "";

    /// <summary>The method of the limits of the difference.</summary>
    public string IntervalMethod { get; init; } = "BCa bootstrap by prompt";
}

/// <summary>Two or more runs over the same prompts, the first against each of the others.</summary>
/// <param name="Runs">Their names, the baseline first.</param>
/// <param name="Rows">Every metric, described: judge by judge, suite by suite.</param>
/// <param name="Notes">What could not be compared, and why.</param>
public sealed record Comparison(
    IReadOnlyList<string> Runs, IReadOnlyList<ComparisonRow> Rows, IReadOnlyList<string> Notes)
{
    /// <summary>The conclusion of each judge, where several judges answer the same question.</summary>
    public IReadOnlyList<JudgeConclusion> Conclusions { get; init; } = [];

    /// <summary>The headline: one test per fact, adjusted within each measure.</summary>
    public IReadOnlyList<HeadlineChange> Headline { get; init; } = [];

    /// <param name="runs">The baseline first.</param>
    /// <param name="seed">Seed of the bootstraps.</param>
    /// <exception cref="SafeLlamaException">Fewer than two runs, or they share no judge or no prompt.</exception>
    public static Comparison Of(IReadOnlyList<RunFolder> runs, long seed = 0)
    {
        if (runs.Count < 2)
        {
            throw SafeLlamaException.Usage("compare: name two or more runs, the baseline first.");
        }

        runs = ToldApart(runs);
        var notes = new List<string>();
        var rows = new List<ComparisonRow>();
        var conclusions = new List<JudgeConclusion>();
        var headline = new HeadlineComparison(seed);
        var baseline = runs[0];
        foreach (var candidate in runs.Skip(1))
        {
            var shared = baseline.Manifest.Judges.Where(j => candidate.Manifest.Judges.Any(c => c.Hash == j.Hash))
                .ToArray();
            notes.AddRange(baseline.Manifest.Judges.Concat(candidate.Manifest.Judges).DistinctBy(j => j.Hash)
                .Where(j => shared.All(s => s.Hash != j.Hash))
                .Select(j => $"{j.Identity.Name} ({j.Hash}) judged only one of {baseline.Name} and {candidate.Name}; "
                    + "not compared."));
            notes.AddRange(OnlyOne(baseline, candidate).Concat(OnlyOne(candidate, baseline)));
            conclusions.AddRange(JudgeConclusions.Of(baseline, candidate, shared));
            foreach (var judge in shared)
            {
                headline.Add(baseline, candidate, judge);
                rows.AddRange(PairedRuns.Compare(baseline, candidate, judge, seed));
            }
        }

        if (rows.Count == 0)
        {
            throw SafeLlamaException.Usage(
                $"compare: {string.Join(", ", runs.Select(r => r.Path))} share no prompt to which one judge gave a "
                + string.Join(' ', notes.Prepend("verdict in both; invalid and unscored answers have none.")));
        }

        return new(
            [.. runs.Select(r => r.Name)], rows, [.. notes, .. JudgeConclusions.Disagreements(conclusions)])
        {
            Headline = headline.Adjusted(),
            Conclusions = conclusions,
        };
    }

    /// <summary>
    /// Runs with the same folder name get more of their path; a run that is named twice gets its number.
    /// </summary>
    private static RunFolder[] ToldApart(IReadOnlyList<RunFolder> runs)
    {
        string[][] parts = [.. runs.Select(r => Path.TrimEndingDirectorySeparator(Path.GetFullPath(r.Path))
            .Split(Path.DirectorySeparatorChar))];
        return
        [
            .. runs.Select((run, i) =>
            {
                string[][] others = [.. parts.Where((_, other) => other != i)];
                var kept = Enumerable.Range(1, parts[i].Length).FirstOrDefault(count =>
                    !others.Any(other => other.TakeLast(count).SequenceEqual(parts[i].TakeLast(count))));
                return kept switch
                {
                    0 => run with { Label = $"{run.Name} ({i + 1})" },
                    1 => run,
                    _ => run with { Label = string.Join('/', parts[i].TakeLast(kept)) },
                };
            }),
        ];
    }

    private static IEnumerable<string> OnlyOne(RunFolder run, RunFolder other)
    {
        var there = other.Prompts.Select(p => p.Suite).ToHashSet();
        return run.Prompts.Where(p => !there.Contains(p.Suite)).GroupBy(p => p.Suite)
            .Select(g => $"{g.Key} ({g.Count()} prompts) is in {run.Name} and not in {other.Name}; not compared.");
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
