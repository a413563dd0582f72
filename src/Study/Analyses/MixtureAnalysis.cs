using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>Which mixture of wordings leaves the least harm on the wording that it protects worst.</summary>
/// <remarks>
/// An arm is a point of the simplex of instruction, question and opinion (<see cref="SafetyRows.Formats"/>);
/// <c>worst.ARM</c> is the largest of the metrics, <c>gain.ARM</c> that less the first arm's. Scheffé's quadratic model
/// (1958, JRSS B 20), y = Σ bᵢxᵢ + Σ bᵢⱼxᵢxⱼ, is fitted to the worst of the first series by least squares;
/// <c>best</c> is its least value on a grid of twentieths, <c>best.instruction</c> and so on where it lies,
/// <c>misfit</c> the most that the fit is off at a tested mixture; beyond a tenth nothing is told of its best. With several series, <c>beside.S</c> is the mean
/// worst of series S less that of the first one.
/// </remarks>
internal sealed class MixtureAnalysis : IAnalysis
{
    /// <summary>Steps along each side of the simplex.</summary>
    private const int Grid = 20;

    /// <summary>A fit that is further off at a mixture that was tested says nothing of those that were not.</summary>
    private const double MostMisfit = 0.1;

    private static readonly string[] Wordings = ["instruction", "question", "opinion"];

    public IReadOnlyList<string> Names(StudyAnalysis asked) =>
    [
        "best", .. Wordings.Select(w => "best." + w), "misfit", .. Arms(asked).Select(a => "worst." + a),
        .. Arms(asked).Skip(1).Select(a => "gain." + a), .. asked.Series.Skip(1).Select(s => "beside." + s.Name),
    ];

    public IEnumerable<string> Problems(StudyAnalysis asked, StudyRecipe recipe)
    {
        if (asked.Metrics is not { Count: > 1 })
        {
            yield return "a mixture needs metrics, one for each wording.";
        }

        if (asked.Series.Count == 0 || asked.Series[0].Arms.Count < 6)
        {
            yield return "a mixture needs a series of six arms or more: its model has six terms.";
        }

        foreach (var arm in recipe.Arms.Where(a => Arms(asked).Contains(a.Name) && a.Safety?.Formats is null))
        {
            yield return $"arm {arm.Name} gives no safety.formats.";
        }
    }

    public AnalysisResult Compute(StudyAnalysis asked, AnalysisData data)
    {
        var series = asked.Series.Select(s => (s.Name, Arms: data.Arms(s))).Where(s => s.Arms.Count > 0).ToList();
        var arms = series.SelectMany(s => s.Arms).DistinctBy(a => a.Name).ToList();
        var metrics = asked.Metrics!;
        var draws = data.Draws([.. arms.SelectMany(a => metrics.Select(m => (a, m)))]);
        double Worst(IReadOnlyList<double> means, StudyArm arm)
        {
            var at = arms.FindIndex(a => a.Name == arm.Name) * metrics.Count;
            return metrics.Select((_, k) => means[at + k]).Max();
        }

        var first = series[0].Arms;
        double[][] rows = [.. first.Select(a => Terms(Place(a)))];
        double[]? Fit(IReadOnlyList<double> means) =>
            LeastSquares.Fit(rows, [.. first.Select(a => Worst(means, a))]);
        (double Value, double[] Place) Best(IReadOnlyList<double> means) => Fit(means) is { } model
            ? Points().Select(p => (Value: At(model, Terms(p)), Place: p)).MinBy(p => p.Value)
            : (double.NaN, [double.NaN, double.NaN, double.NaN]);
        double Misfit(IReadOnlyList<double> means) => Fit(means) is { } model
            ? first.Select((a, i) => Math.Abs(At(model, rows[i]) - Worst(means, a))).Max() : double.NaN;
        var (best, misfit) = (Best(draws.Means).Place, Misfit(draws.Means));
        Finding Fitted(string name, string title, Func<IReadOnlyList<double>, double> of) => misfit > MostMisfit
            ? new(name, title, FindingUnit.Rate, Estimate.None) { Without = "not told, since the fit is off" }
            : new(name, title, FindingUnit.Rate, draws.Of(of, Bounds.Rate));
        List<Finding> findings =
        [
            Fitted("best", "least worst harm of the fitted mixtures", m => Best(m).Value),
            .. Wordings.Select((w, i) => Fitted("best." + w, $"share of {w}s in that mixture", m => Best(m).Place[i])),
            new("misfit", "the most that the fit is off at a tested mixture", FindingUnit.Share,
                draws.Of(Misfit, Bounds.Rate)),
            .. arms.Select(a => new Finding(
                "worst." + a.Name, $"worst wording's harm, {a.Name}", FindingUnit.Rate,
                draws.Of(m => Worst(m, a), Bounds.Rate))),
            .. arms.Skip(1).Select(a => new Finding(
                "gain." + a.Name, $"that of {a.Name} less that of {arms[0].Name}", FindingUnit.Share,
                draws.Of(m => Worst(m, a) - Worst(m, arms[0]), Bounds.Difference))),
            .. series.Skip(1).Select(s => new Finding(
                "beside." + s.Name, $"mean worst of {s.Name} less {series[0].Name}", FindingUnit.Share,
                draws.Of(m => s.Arms.Average(a => Worst(m, a)) - first.Average(a => Worst(m, a)), Bounds.Difference))),
        ];
        var least = first.MinBy(a => Worst(draws.Means, a))!;
        var sentence = $"{data.Where}, the tested mixture that is safest on its worst wording is {least.Name}, with "
            + $"{FindingText.Of(findings.First(f => f.Name == "worst." + least.Name))} served there"
            + (asked.Cost is { } cost ? $" and over-refusal {ReportText.Rate(data.Value(least, cost))}" : "")
            + (double.IsNaN(best[0]) ? "; too few mixtures are there to fit a best."
                : (misfit > MostMisfit ? "; a fitted best is not told, since the fit is off"
                    : $"; the fitted best is {Percent.Of(best[0], "0")} instructions, {Percent.Of(best[1], "0")} "
                        + $"questions, {Percent.Of(best[2], "0")} opinions, and the fit is off")
                    + $" by up to {ReportText.Points(misfit)} points at a tested one.");
        return new(asked.Name, asked.Kind, sentence, findings,
        [
            .. series.Select(s => new AnalysisCurve(s.Name, asked.Metric,
            [
                .. s.Arms
                    .Select(a => (
                        Place: Place(a), Value: findings.First(f => f.Name == "worst." + a.Name).Estimate, a.Name))
                    .Select(p => new AnalysisPoint(
                        p.Place[1] + p.Place[2] / 2, p.Name, new(p.Value.Value, p.Value.Low, p.Value.High))
                    {
                        Y = p.Place[2] * Math.Sqrt(3) / 2,
                    }),
            ])),
            new("best", asked.Metric, double.IsNaN(findings[0].Estimate.Value) ? [] :
            [
                new(best[1] + best[2] / 2, "best", new(findings[0].Estimate.Value, double.NaN, double.NaN))
                {
                    Y = best[2] * Math.Sqrt(3) / 2,
                },
            ]),
        ]);
    }

    public IReadOnlyList<AnalysisFigure> Figures(StudyAnalysis asked, AnalysisResult result) =>
        [TernaryFigure.Of("Worst wording's harm over mixtures", result.Curves)];

    private static IReadOnlyList<string> Arms(StudyAnalysis asked) =>
        [.. asked.Series.SelectMany(s => s.Arms).Distinct()];

    private static double[] Place(StudyArm arm)
    {
        var f = arm.Safety!.Formats!;
        return [f.Instruction / (double)f.Total, f.Question / (double)f.Total, f.Opinion / (double)f.Total];
    }

    private static double At(double[] model, double[] terms) => terms.Zip(model).Sum(t => t.First * t.Second);

    private static double[] Terms(double[] x) => [x[0], x[1], x[2], x[0] * x[1], x[0] * x[2], x[1] * x[2]];

    private static IEnumerable<double[]> Points() =>
        from i in Enumerable.Range(0, Grid + 1)
        from q in Enumerable.Range(0, Grid + 1 - i)
        select new[] { i / (double)Grid, q / (double)Grid, (Grid - i - q) / (double)Grid };
}
