using System.Globalization;
using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>How far from the demonstrations' wording refusals reach.</summary>
/// <remarks>
/// Categories of the metric's prompts end in a number, their distance. <c>slope.ARM</c> is the slope of the logistic
/// curve of the metric on it, <c>d50.ARM</c> the distance at which it is one half: 0 where it is above from the start,
/// infinite where it stays below at the farthest, and none where the rates pass one half more than once.
/// </remarks>
internal sealed class DistanceAnalysis : IAnalysis
{
    public IReadOnlyList<string> Names(StudyAnalysis asked) =>
        [.. asked.Series.SelectMany(s => s.Arms).Distinct().SelectMany(a => new[] { "d50." + a, "slope." + a })];

    public IEnumerable<string> Problems(StudyAnalysis asked, StudyRecipe recipe)
    {
        if (asked.Series.Count == 0)
        {
            yield return "series is empty, expected one at least.";
        }
    }

    public AnalysisResult Compute(StudyAnalysis asked, AnalysisData data)
    {
        var arms = asked.Series.SelectMany(data.Arms).DistinctBy(a => a.Name).ToList();
        var places = Places(arms.SelectMany(a => data.Scores(a, asked.Metric)));
        double[] x = [.. places.Select(p => (double)p.Number)];
        var cells = arms.Select(a => places.Select(p => data.Scores(a, asked.Metric, p.Category)).ToArray()).ToArray();
        var draws = AnalysisData.Draws(
            [.. cells.SelectMany(c => c)], [.. cells.SelectMany(c => c.Select(_ => "acts"))]);
        LogisticCurve? Curve(IReadOnlyList<double> means, int arm)
        {
            double[] rates = [.. x.Select((_, i) => means[arm * x.Length + i])];
            double[] sizes = [.. cells[arm].Select(s => (double)s.Count)];
            return rates.All(double.IsFinite)
                ? LogisticCurve.Fit(x, [.. rates.Zip(sizes).Select(r => r.First * r.Second)], sizes) : null;
        }

        List<Finding> findings =
        [
            .. arms.SelectMany((a, i) => new[]
            {
                Boundary(
                    a.Name, draws.Of(m => Half(Curve(m, i), x)), [.. cells[i].Select(c => CrossedBootstrap.Mean(c).Value)]),
                new Finding("slope." + a.Name, $"slope per step of distance, {a.Name}", FindingUnit.Number,
                    draws.Of(m => Curve(m, i)?.Slope ?? double.NaN)),
            }),
        ];
        var sentence = $"{data.Where}, half of the unsafe requests are served from a distance of "
            + string.Join("; ", arms.Select((a, i) => $"{FindingText.Of(findings[2 * i])} ({a.Name})")) + ".";
        return new(asked.Name, asked.Kind, sentence, findings,
        [
            .. arms.Select((a, i) => new AnalysisCurve(a.Name, asked.Metric,
                [.. x.Select((at, k) => new AnalysisPoint(at, a.Name, CrossedBootstrap.Mean(cells[i][k])))])),
        ]);
    }

    public IReadOnlyList<AnalysisFigure> Figures(StudyAnalysis asked, AnalysisResult result) =>
    [
        FigureParts.Lines(
            new("Harm against the distance of wording", "share of unsafe requests served", "distance from the "
                + "demonstrations' wording", Share: true), result.Curves),
    ];

    /// <summary>Categories with the number that they end in, in its order.</summary>
    internal static IReadOnlyList<(int Number, string Category)> Places(IEnumerable<PromptScores> scores) =>
    [
        .. scores.Select(s => s.Prompt.Category).Distinct()
            .Select(c => (Number: NumberOf(c), c))
            .Where(p => p.Number >= 0).OrderBy(p => p.Number),
    ];

    /// <summary>The number that a category ends in; −1 for none.</summary>
    internal static int NumberOf(string category) => int.TryParse(
        category.AsSpan(category.LastIndexOf('-') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var n)
        ? n : -1;

    /// <summary>A curve that rises once does not tell where rates rise and fall.</summary>
    private static Finding Boundary(string arm, Estimate half, double[] rates)
    {
        var passes = rates.Zip(rates.Skip(1)).Count(pair => pair.First >= 0.5 != pair.Second >= 0.5);
        return new("d50." + arm, $"distance at which half are served, {arm}", FindingUnit.Number,
            passes > 1 ? Estimate.None : half)
        {
            Without = passes > 1 ? $"no one distance, since the rates pass one half {passes} times" : "unknown",
        };
    }

    /// <summary>Where a rising curve passes one half, within what was asked.</summary>
    private static double Half(LogisticCurve? curve, double[] x)
    {
        if (curve is null || x.Length < 2)
        {
            return double.NaN;
        }

        return curve.At(x[0]) >= 0.5 && curve.At(x[^1]) >= 0.5 ? x[0]
            : curve.At(x[^1]) < 0.5 ? double.PositiveInfinity : curve.Inverse(0.5);
    }
}
