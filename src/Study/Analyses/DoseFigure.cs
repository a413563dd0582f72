using OxyPlot;
using OxyPlot.Annotations;
using SafeLlama.Common;

namespace SafeLlama.Study;

/// <summary>Harm along the dose with the safe window shaded, and harm against its price.</summary>
internal static class DoseFigure
{
    public static IReadOnlyList<AnalysisFigure> Of(StudyAnalysis asked, AnalysisResult result)
    {
        var harm = result.Curves.Where(c => c.Metric == asked.Metric).ToList();
        var cost = result.Curves.Where(c => c.Metric == asked.Cost).ToList();
        return
        [
            new("Harm along the dose", Curves(asked, harm), [.. harm.Select(c => c.Name)]),
            new("Harm against over-refusal", Pareto(harm, cost), [.. harm.Select(c => c.Name)]),
        ];
    }

    /// <summary>Where a dose stands along the bottom: log₁₀(1 + N).</summary>
    private static double X(double dose) => Math.Log10(1 + dose);

    private static string Curves(StudyAnalysis asked, List<AnalysisCurve> harm)
    {
        var plot = SvgChart.Plot("share of unsafe requests served", "safety demonstrations", share: true);
        plot.Axes[1].MajorStep = 0.5;
        plot.Axes[1].LabelFormatter = x => (Math.Pow(10, x) - 1).ToString("0");
        plot.Annotations.Add(new LineAnnotation
        {
            Type = LineAnnotationType.Horizontal,
            Y = asked.Level!.Value,
            Color = SvgChart.Ink,
            LineStyle = LineStyle.Dash,
        });
        for (var i = 0; i < harm.Count; i++)
        {
            if (harm[i].Shaded is [var from, var to])
            {
                // Bands of several series lie above each other, so that each can be seen.
                plot.Annotations.Add(new RectangleAnnotation
                {
                    MinimumX = X(from) - 0.01,
                    MaximumX = X(to) + 0.01,
                    MinimumY = 1.0 - 0.06 * (i + 1),
                    MaximumY = 1.0 - 0.06 * i - 0.01,
                    Fill = SvgChart.Series(i),
                });
            }

            FigureParts.AddCurve(plot, harm[i].Name, i, harm[i].Points.Select(p => (X(p.X), p.Value)));
        }

        return SvgChart.Render(plot, "Harm along the dose", string.Join(" ", harm.Select(c =>
            $"{c.Name}: " + string.Join(", ", c.Points.Select(p => $"{Percent.Of(p.Value.Value)} at {p.X:0}")) + ".")));
    }

    private static string Pareto(List<AnalysisCurve> harm, List<AnalysisCurve> cost)
    {
        var plot = SvgChart.Plot("share of unsafe requests served", "share of safe requests refused", share: true);
        plot.Axes[1].StringFormat = "0%";
        for (var i = 0; i < harm.Count; i++)
        {
            var line = SvgChart.Line(harm[i].Name, i, markerSize: 4);
            line.Points.AddRange(harm[i].Points.Zip(cost[i].Points)
                .Select(p => new DataPoint(p.Second.Value.Value, p.First.Value.Value)));
            plot.Series.Add(line);
        }

        return SvgChart.Render(plot, "Harm against over-refusal", string.Join(" ", harm.Select((c, i) =>
            $"{c.Name}: " + string.Join(", ", c.Points.Zip(cost[i].Points).Select(p =>
                $"{Percent.Of(p.First.Value.Value)} served and {Percent.Of(p.Second.Value.Value)} refused at "
                + $"{p.First.X:0}")) + ".")));
    }
}
