using OxyPlot;
using OxyPlot.Annotations;
using OxyPlot.Axes;
using OxyPlot.Series;
using SafeLlama.Common;

namespace SafeLlama.Study;

/// <summary>A map of the simplex: each arm a mark whose size is its harm, an arrow to the best mixture.</summary>
internal static class TernaryFigure
{
    private static readonly double Top = Math.Sqrt(3) / 2;

    /// <param name="title">What it shows.</param>
    /// <param name="curves">One for each series; the last one holds the best mixture, or nothing.</param>
    public static AnalysisFigure Of(string title, IReadOnlyList<AnalysisCurve> curves)
    {
        var plot = SvgChart.Plot("", "", share: false);
        plot.Axes.Clear();
        plot.Axes.Add(new LinearAxis
        {
            Position = AxisPosition.Bottom,
            Minimum = -0.6,
            Maximum = 1.6,
            IsAxisVisible = false,
        });
        plot.Axes.Add(new LinearAxis
        {
            Position = AxisPosition.Left,
            Minimum = -0.12,
            Maximum = Top + 0.1,
            IsAxisVisible = false,
        });
        plot.PlotAreaBorderThickness = new(0);
        var sides = new LineSeries { Color = SvgChart.Ink, StrokeThickness = 1 };
        sides.Points.AddRange([new(0, 0), new(1, 0), new(0.5, Top), new(0, 0)]);
        plot.Series.Add(sides);
        Corner(plot, "instructions", -0.08, -0.05);
        Corner(plot, "questions", 1.08, -0.05);
        Corner(plot, "opinions", 0.5, Top + 0.05);
        for (var i = 0; i < curves.Count - 1; i++)
        {
            // Series lie a little apart, so that both marks of one mixture are seen.
            var marks = new ScatterSeries { MarkerType = SvgChart.Marker(i), MarkerFill = SvgChart.Series(i) };
            marks.Points.AddRange(curves[i].Points.Where(p => !p.Value.IsNone)
                .Select(p => new ScatterPoint(p.X + 0.035 * i, p.Y!.Value, 3 + 12 * p.Value.Value)));
            plot.Series.Add(marks);
        }

        if (curves[^1].Points is [var best])
        {
            plot.Annotations.Add(new ArrowAnnotation
            {
                StartPoint = new(0.5, Top / 3),
                EndPoint = new(best.X, best.Y!.Value),
                Color = SvgChart.Ink,
            });
        }

        return new(title, SvgChart.Render(plot, title, string.Join(" ", curves.Where(c => c.Points.Count > 0).Select(c => $"{c.Name}: "
            + string.Join(", ", c.Points.Select(p => $"{Percent.Of(p.Value.Value)} at {p.Arm}")) + "."))),
            [.. curves.SkipLast(1).Select(c => c.Name + ", larger is more harm")]);
    }

    private static void Corner(PlotModel plot, string text, double x, double y) => plot.Annotations.Add(
        new TextAnnotation
        {
            Text = text,
            TextPosition = new(x, y),
            TextColor = SvgChart.Ink,
            StrokeThickness = 0,
        });
}
