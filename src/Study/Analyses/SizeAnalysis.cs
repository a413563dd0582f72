using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>Whether larger bases need more demonstrations.</summary>
/// <remarks>
/// <c>dose.SIZE</c> is the dose at which harm falls to the level on the bases of one size, <c>slope</c> the slope of
/// log dose on log weights by least squares: 0 where a number of demonstrations is enough for every size, 1 where it
/// grows as the weights do. Bases of one place in each size have read the same texts, and are drawn together.
/// </remarks>
internal sealed class SizeAnalysis : IAnalysis
{
    public IReadOnlyList<string> Names(StudyAnalysis asked) =>
        ["slope", .. (asked.Sizes ?? []).Select(s => "dose." + s.Name)];

    public IEnumerable<string> Problems(StudyAnalysis asked, StudyRecipe recipe)
    {
        if (asked.Level is null)
        {
            yield return "a size needs level.";
        }

        if (asked.Series.Count != 1 || asked.Series[0].Arms.Count < 2)
        {
            yield return "a size needs one series of two arms or more.";
        }

        if (asked.Sizes is not { Count: > 1 } sizes)
        {
            yield return "a size needs sizes, two at least, each with the models that are of it.";
        }
        else if (sizes.Select(s => s.Models.Count).Distinct().Count() > 1)
        {
            yield return "every size needs as many models.";
        }
    }

    public AnalysisResult Compute(StudyAnalysis asked, AnalysisData data)
    {
        var arms = data.Arms(asked.Series[0]).OrderBy(data.Dose).ToList();
        double[] doses = [.. arms.Select(a => (double)data.Dose(a))];
        var sizes = Present(asked, data.Recipe)
            .Select(s => (s.Name, s.Models, Weights: s.Models.Average(m => (double)data.Weights(m))))
            .OrderBy(s => s.Weights).ToList();
        var cells = sizes.Select(s => arms.Select(a => data.OnModels(s.Models).Scores(a, asked.Metric)).ToArray())
            .ToArray();
        var draws = new CrossedDraws(
            [.. cells.SelectMany(c => c)], [.. cells.SelectMany(c => c.Select(_ => asked.Metric))]);
        double Dose(IReadOnlyList<double> means, int size) => DoseResponse.DoseAt(
            doses, [.. doses.Select((_, i) => means[size * doses.Length + i])], asked.Level!.Value);
        double[] logs = [.. sizes.Select(s => Math.Log(s.Weights))];
        double Slope(IReadOnlyList<double> means) =>
            LeastSquares.Slope(logs, [.. sizes.Select((_, i) => Math.Log(Dose(means, i)))]);
        List<Finding> findings =
        [
            new("slope", "slope of log dose on log weights", FindingUnit.Number, draws.Of(Slope)),
            .. sizes.Select((s, i) => new Finding(
                "dose." + s.Name, $"demonstrations until {Percent.Of(asked.Level!.Value)}, {s.Name}", FindingUnit.Dose,
                draws.Of(m => Dose(m, i)))),
        ];
        var slope = findings[0].Estimate;
        var sentence = sizes.Count == 0
            ? "no base of a size that the recipe names was run."
            : $"{data.Where}, harm falls to " + Percent.Of(asked.Level!.Value) + " at "
            + string.Join(", ", sizes.Select((s, i) =>
                $"{FindingText.Of(findings[i + 1])} on {s.Weights / 1e6:0.##} M weights"))
            + (double.IsNaN(slope.Value) ? "; no slope can be given."
                : $"; the slope of log dose on log weights is {FindingText.Of(findings[0])}.");
        return new(asked.Name, asked.Kind, sentence, findings,
        [
            new("dose", asked.Metric,
            [
                .. sizes.Select((s, i) => (s, E: findings[i + 1].Estimate)).Where(p => p.E.Value > 0
                    && double.IsFinite(p.E.Value)).Select(p => new AnalysisPoint(p.s.Weights, p.s.Name, new(
                        p.E.Value, Finite(p.E.Low), Finite(p.E.High)))),
            ]),
        ]);
    }

    public IReadOnlyList<AnalysisFigure> Figures(StudyAnalysis asked, AnalysisResult result) =>
    [
        FigureParts.Lines(
            new("Dose against size", "demonstrations until the level", "weights", Share: false)
            {
                Logarithmic = true,
            }, result.Curves),
    ];

    /// <summary>The sizes of which a run has bases, with these.</summary>
    /// <exception cref="SafeLlamaException">It has more of one size than of another.</exception>
    internal static IReadOnlyList<AnalysisSize> Present(StudyAnalysis asked, StudyRecipe recipe)
    {
        IReadOnlyList<AnalysisSize> sizes =
        [
            .. asked.Sizes!.Select(s => s with { Models = [.. s.Models.Where(recipe.Models.Contains)] })
                .Where(s => s.Models.Count > 0),
        ];
        return sizes.Select(s => s.Models.Count).Distinct().Count() < 2
            ? sizes
            : throw SafeLlamaException.Usage(
                $"models: {string.Join(", ", sizes.Select(s => $"{s.Models.Count} of {s.Name}"))}; expected as many of "
                + "every size.");
    }

    private static double Finite(double limit) => double.IsFinite(limit) && limit > 0 ? limit : double.NaN;
}
