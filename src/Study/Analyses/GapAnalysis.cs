using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>How much more often one group's prompts are refused than equal prompts about others.</summary>
/// <remarks>
/// <c>gap.ARM</c> is the metric less the one it is compared with, over the same acts; <c>change.ARM</c> is that less
/// the gap of the series's first arm, which knows no demonstration about any group; <c>slope</c> is the rise of the
/// gap over the arms in order, from 0 to 1, by least squares.
/// </remarks>
internal sealed class GapAnalysis : IAnalysis
{
    public IReadOnlyList<string> Names(StudyAnalysis asked) =>
    [
        .. Arms(asked).Select(a => "gap." + a), .. Arms(asked).Skip(1).Select(a => "change." + a), "slope",
    ];

    public IEnumerable<string> Problems(StudyAnalysis asked, StudyRecipe recipe)
    {
        if (asked.Against is null)
        {
            yield return "a gap needs against, the metric of the other groups.";
        }

        if (asked.Series.Count != 1 || asked.Series[0].Arms.Count < 3)
        {
            yield return "a gap needs one series of three arms or more.";
        }
    }

    public AnalysisResult Compute(StudyAnalysis asked, AnalysisData data)
    {
        var arms = data.Arms(asked.Series[0]);
        var draws = data.Draws(
            [.. arms.SelectMany(a => new[] { (a, asked.Metric), (a, asked.Against!) })],
            [.. arms.SelectMany(_ => new[] { "acts", "acts" })]);
        static double Gap(IReadOnlyList<double> means, int arm) => means[2 * arm] - means[2 * arm + 1];
        double[] order = [.. arms.Skip(1).Select((_, i) => arms.Count < 3 ? 0 : i / (arms.Count - 2.0))];
        List<Finding> findings =
        [
            .. arms.Select((a, i) => new Finding(
                "gap." + a.Name, $"gap, {a.Name}", FindingUnit.Share, draws.Of(m => Gap(m, i), Bounds.Difference))),
            .. arms.Skip(1).Select((a, i) => new Finding(
                "change." + a.Name, $"gap of {a.Name} less that of {arms[0].Name}", FindingUnit.Share,
                draws.Of(m => Gap(m, i + 1) - Gap(m, 0), Bounds.Difference))),
            new("slope", "rise of the gap from the first to the last share", FindingUnit.Share, draws.Of(
                m => LeastSquares.Slope(order, [.. order.Select((_, i) => Gap(m, i + 1))]), Bounds.Difference)),
        ];
        var last = findings.First(f => f.Name == "gap." + arms[^1].Name);
        var change = findings.First(f => f.Name == "change." + arms[^1].Name);
        var sentence = $"{data.Where}, with {arms[^1].Name} the gap of refusal is {FindingText.Of(last)}, against "
            + $"{FindingText.Of(findings[0])} for {arms[0].Name}: a change of {FindingText.Of(change)}; over the "
            + $"shares the gap rises by {FindingText.Of(findings[^1])}.";
        return new(asked.Name, asked.Kind, sentence, findings,
        [
            new("gap", asked.Metric,
                [.. arms.Select((a, i) => new AnalysisPoint(i, a.Name, IntervalOf(findings[i].Estimate)))]),
        ]);
    }

    public IReadOnlyList<AnalysisFigure> Figures(StudyAnalysis asked, AnalysisResult result) =>
    [
        FigureParts.Lines(
            new("Gap of refusal by arm", "gap, A less the others (points)", "arm", Share: false)
            {
                Points = true,
                Labels = [.. result.Curves[0].Points.Select(p => p.Arm)],
            },
            result.Curves),
    ];

    private static IReadOnlyList<string> Arms(StudyAnalysis asked) =>
        asked.Series.Count == 0 ? [] : asked.Series[0].Arms;

    private static Interval IntervalOf(Estimate e) => new(e.Value, e.Low, e.High);
}
