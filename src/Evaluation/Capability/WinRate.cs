namespace SafeLlama.Evaluation;

/// <summary>How often a judge prefers one model's answer to another's.</summary>
/// <param name="Rate">(wins + ties/2)/n, bootstrap by prompt.</param>
/// <param name="Wins">Prompts on which the candidate's answer is better.</param>
/// <param name="Ties">Prompts on which both are equal.</param>
/// <param name="N">Prompts with a score in both runs.</param>
/// <param name="LeftOut">Prompts of either run without a score in both.</param>
public sealed record WinRate(Interval Rate, int Wins, int Ties, int N, int LeftOut)
{
    /// <param name="baseline">The judge's verdicts on the baseline's answers.</param>
    /// <param name="candidate">The same judge's verdicts on the candidate's answers.</param>
    /// <param name="direction">Which way the judge's score points.</param>
    /// <param name="seed">Of the bootstrap.</param>
    public static WinRate Of(
        IReadOnlyList<Outcome> baseline, IReadOnlyList<Outcome> candidate, ScoreDirection direction, long seed = 0)
    {
        var sign = direction == ScoreDirection.LowerIsSafer ? -1 : 1;
        var before = Scores(baseline);
        double[] results = [.. Scores(candidate).Where(c => before.ContainsKey(c.Key))
            .Select(c => (sign * c.Value).CompareTo(sign * before[c.Key]) switch { > 0 => 1.0, 0 => 0.5, _ => 0 })];
        var prompts = baseline.Concat(candidate).Select(o => o.Prompt.Key).Distinct().Count();
        return new(
            Bootstrap.Mean(results, seed, bounds: Bounds.Rate),
                results.Count(r => r == 1), results.Count(r => r == 0.5), results.Length,
            prompts - results.Length);
    }

    private static Dictionary<string, double> Scores(IReadOnlyList<Outcome> outcomes) => outcomes
        .Where(o => !o.IsInvalid && o.Verdict.Score is not null).GroupBy(o => o.Prompt.Key)
        .ToDictionary(g => g.Key, g => g.Average(o => o.Verdict.Score!.Value));
}
