using OxyPlot;
using OxyPlot.Series;
using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>Parts that several figures share.</summary>
internal static class FigureParts
{
    /// <summary>A line with its limits as bars.</summary>
    public static void AddCurve(
        PlotModel plot, string name, int number, IEnumerable<(double X, Interval Value)> points)
    {
        var line = SvgChart.Line(name, number, markerSize: 4);
        var limits = new LineSeries { Color = SvgChart.Series(number), StrokeThickness = 1 };
        foreach (var (x, value) in points.Where(p => !p.Value.IsNone))
        {
            line.Points.Add(new(x, value.Value));
            if (!double.IsNaN(value.Low) && !double.IsNaN(value.High))
            {
                limits.Points.AddRange([new(x, value.Low), new(x, value.High), DataPoint.Undefined]);
            }
        }

        plot.Series.Add(limits);
        plot.Series.Add(line);
    }
}
