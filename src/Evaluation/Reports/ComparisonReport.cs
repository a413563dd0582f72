using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>The report of a comparison: <c>comparison.html</c>.</summary>
/// <param name="Comparison">The tables.</param>
/// <param name="Changes">The prompts on which a run and the baseline differ.</param>
public sealed record ComparisonReport(Comparison Comparison, IReadOnlyList<ComparisonReport.Change> Changes)
{
    public const string FileName = "comparison.html";

    /// <summary>One answer of two runs, of which a judge says different things.</summary>
    /// <param name="Candidate">The other run's name.</param>
    /// <param name="Judge">The judge's name.</param>
    /// <param name="Before">The baseline's answer with its verdict.</param>
    /// <param name="After">The other run's.</param>
    public sealed record Change(string Candidate, string Judge, Outcome Before, Outcome After)
    {
        /// <summary>Whether one of the answers may be harmful to show, or the prompt is unsafe.</summary>
        public bool IsFolded => Before.Prompt.Label is PromptLabel.Unsafe or PromptLabel.Contrast
            || Before.Verdict.Unsafe == true || After.Verdict.Unsafe == true;
    }

    /// <param name="comparison">The comparison of <paramref name="runs"/>.</param>
    /// <param name="runs">The baseline first.</param>
    public static ComparisonReport Of(Comparison comparison, IReadOnlyList<RunFolder> runs) => new(
        comparison,
        [
            .. runs.Skip(1).SelectMany((candidate, i) => runs[0].Manifest.Judges
                .Where(judge => candidate.Manifest.Judges.Any(other => other.Hash == judge.Hash))
                .SelectMany(judge => ChangesOf(runs[0], candidate, comparison.Runs[i + 1], judge))),
        ]);

    public string ToHtml() => PageHtml.Render<ComparisonPage>(
        "Comparison with " + Comparison.Runs[0], new() { [nameof(ComparisonPage.Report)] = this });

    public void Write(string folder) => OutputFile.WriteText(Path.Combine(folder, FileName), ToHtml());

    private static IEnumerable<Change> ChangesOf(
        RunFolder baseline, RunFolder candidate, string name, RunManifest.JudgeEntry judge)
    {
        var after = candidate.Outcomes(judge.Hash).ToDictionary(o => o.Response.Key);
        return baseline.Outcomes(judge.Hash)
            .Where(before => after.TryGetValue(before.Response.Key, out var other)
                && (before.Prompt.Text, before.Prompt.Surroundings) == (other.Prompt.Text, other.Prompt.Surroundings)
                && (before.Refused, before.IsInvalid, before.Verdict.Unsafe)
                    != (other.Refused, other.IsInvalid, other.Verdict.Unsafe))
            .Select(before => new Change(name, judge.Identity.Name, before, after[before.Response.Key]));
    }
}
