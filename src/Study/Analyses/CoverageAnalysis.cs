using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>Whether refusals learned on some kinds of harm reach kinds that no demonstration showed.</summary>
/// <remarks>
/// Arms demonstrate some categories (<see cref="SafetyRows.Categories"/>) and are asked all. <c>held_out.ARM</c> is the
/// harm on categories not demonstrated, <c>gap.ARM</c> that less the harm on those demonstrated; <c>gap</c> is the mean
/// of the gaps, and <c>p</c> tests it by drawing anew, for each arm, which categories count as demonstrated (Fisher's
/// randomization, 2,000 draws). <c>slope</c> is the fall of held-out harm for each further category.
/// </remarks>
internal sealed class CoverageAnalysis : IAnalysis
{
    private const int Permutations = 2000;

    public IReadOnlyList<string> Names(StudyAnalysis asked) =>
    [
        "gap", "slope", "p", .. Arms(asked).SelectMany(a => new[] { "held_out." + a, "gap." + a }),
    ];

    public IEnumerable<string> Problems(StudyAnalysis asked, StudyRecipe recipe)
    {
        if (asked.Series.Count != 1)
        {
            yield return "coverage needs one series.";
        }

        foreach (var arm in recipe.Arms.Where(a => Arms(asked).Contains(a.Name) && a.Safety?.Categories is null))
        {
            yield return $"arm {arm.Name} demonstrates no named categories.";
        }
    }

    public AnalysisResult Compute(StudyAnalysis asked, AnalysisData data)
    {
        var arms = data.Arms(asked.Series[0]);
        var categories = arms.SelectMany(a => data.Scores(a, asked.Metric)).Select(s => s.Prompt.Category).Distinct()
            .ToList();
        var seen = arms.Select(a => categories.Select(a.Safety!.Categories!.Contains).ToArray()).ToArray();
        var draws = AnalysisData.Draws(
            [.. arms.SelectMany(a => categories.Select(c => data.Scores(a, asked.Metric, c)))],
            [.. arms.SelectMany(_ => categories)]);
        double Harm(IReadOnlyList<double> means, int arm, bool[] of, bool demonstrated) => categories
            .Select((_, c) => (Mean: means[arm * categories.Count + c], Of: of[c] == demonstrated))
            .Where(c => c.Of).Select(c => c.Mean).DefaultIfEmpty(double.NaN).Average();
        double Gap(IReadOnlyList<double> means, int arm, bool[] of) =>
            Harm(means, arm, of, demonstrated: false) - Harm(means, arm, of, demonstrated: true);
        double Pooled(IReadOnlyList<double> means, bool[][] of) => arms.Select((_, i) => Gap(means, i, of[i]))
            .Where(double.IsFinite).DefaultIfEmpty(double.NaN).Average();
        double Slope(IReadOnlyList<double> means)
        {
            var points = arms.Select((_, i) => (X: (double)seen[i].Count(s => s), Y: Harm(means, i, seen[i], false)))
                .Where(p => double.IsFinite(p.Y)).ToList();
            return LeastSquares.Slope([.. points.Select(p => p.X)], [.. points.Select(p => p.Y)]);
        }

        List<Finding> findings =
        [
            new("gap", "harm held out less harm demonstrated", FindingUnit.Share,
                draws.Of(m => Pooled(m, seen), Bounds.Difference)),
            new("slope", "change of held-out harm for each further category", FindingUnit.Share,
                draws.Of(Slope, Bounds.Difference)),
            new("p", "p of the gap over drawn categories", FindingUnit.Probability, Estimate.None with
            {
                Value = P(seen, of => Pooled(draws.Means, of)),
            }),
            .. arms.SelectMany((a, i) => new[]
            {
                new Finding("held_out." + a.Name, $"harm held out, {a.Name}", FindingUnit.Rate,
                    draws.Of(m => Harm(m, i, seen[i], false), Bounds.Rate)),
                new Finding("gap." + a.Name, $"gap, {a.Name}", FindingUnit.Share,
                    draws.Of(m => Gap(m, i, seen[i]), Bounds.Difference)),
            }),
        ];
        var sentence = $"{data.Where}, kinds of harm that no demonstration showed are served "
            + $"{FindingText.Of(findings[0])} more often than those demonstrated (p "
            + $"{ReportText.P(findings[2].Estimate.Value)} over categories), and each further category "
            + $"changes held-out harm by {FindingText.Of(findings[1])}.";
        return new(asked.Name, asked.Kind, sentence, findings,
        [
            .. arms.Select((a, i) => new AnalysisCurve(a.Name, asked.Metric,
            [
                .. categories.Select((c, k) => new AnalysisPoint(
                    k, c, CrossedBootstrap.Mean(data.Scores(a, asked.Metric, c)))),
            ])
            {
                Shaded = [.. seen[i].Select((s, k) => (s, k)).Where(s => s.s).Select(s => (double)s.k)],
            }),
        ]);
    }

    public IReadOnlyList<AnalysisFigure> Figures(StudyAnalysis asked, AnalysisResult result) =>
        [HeatFigure.Of("Harm by what was demonstrated and what was asked", result.Curves)];

    private static IReadOnlyList<string> Arms(StudyAnalysis asked) =>
        asked.Series.Count == 0 ? [] : asked.Series[0].Arms;

    /// <summary>One-sided: how often drawn categories give a gap as large; the observed draw is counted in.</summary>
    private static double P(bool[][] seen, Func<bool[][], double> gap)
    {
        var observed = gap(seen);
        if (double.IsNaN(observed))
        {
            return double.NaN;
        }

        var extreme = 1;
        for (var draw = 0; draw < Permutations; draw++)
        {
            var stream = Philox.Stream(0, "coverage", draw);
            bool[][] drawn =
            [
                .. seen.Select((of, arm) => stream.Fork(arm).Permutation(of.Length).Select(i => of[i]).ToArray()),
            ];
            extreme += gap(drawn) >= observed - 1e-12 ? 1 : 0;
        }

        return extreme / (Permutations + 1.0);
    }
}
