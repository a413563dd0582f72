using OxyPlot.Axes;
using OxyPlot.Series;
using SafeLlama.Common;

namespace SafeLlama.Study;

/// <summary>A matrix of rates: a row per curve, a column per point, and a mark whose size is the rate.</summary>
internal static class HeatFigure
{
    /// <param name="title">What it shows.</param>
    /// <param name="curves">Points at 0, 1, … along x; shaded ones have another mark.</param>
    public static AnalysisFigure Of(string title, IReadOnlyList<AnalysisCurve> curves)
    {
        var plot = SvgChart.Plot("", "", share: false);
        plot.Axes.Clear();
        plot.PlotMargins = new(130, 8, 12, 80);
        var columns = new CategoryAxis
        {
            Position = AxisPosition.Bottom,
            Angle = 30,
            TicklineColor = SvgChart.Faint,
        };
        columns.Labels.AddRange(curves.Take(1).SelectMany(c => c.Points.Select(p => p.Arm)));
        var rows = new CategoryAxis
        {
            Position = AxisPosition.Left,
            TicklineColor = SvgChart.Faint,
            StartPosition = 1,
            EndPosition = 0,
        };
        rows.Labels.AddRange(curves.Select(c => c.Name));
        plot.Axes.Add(columns);
        plot.Axes.Add(rows);
        foreach (var shaded in new[] { false, true })
        {
            var number = shaded ? 1 : 0;
            var marks = new ScatterSeries
            {
                MarkerType = SvgChart.Marker(number),
                MarkerFill = SvgChart.Series(number),
            };
            for (var row = 0; row < curves.Count; row++)
            {
                marks.Points.AddRange(curves[row].Points
                    .Where(p => !p.Value.IsNone && (curves[row].Shaded?.Contains(p.X) == true) == shaded)
                    .Select(p => new ScatterPoint(p.X, row, 1.5 + 10 * p.Value.Value)));
            }

            plot.Series.Add(marks);
        }

        return new(title, SvgChart.Render(plot, title, string.Join(" ", curves.Select(c => $"{c.Name}: "
            + string.Join(", ", c.Points.Select(p => $"{p.Arm} {Percent.Of(p.Value.Value)}")) + "."))),
            curves.Any(c => c.Shaded is { Count: > 0 })
                ? ["not demonstrated, larger is more harm", "demonstrated"] : ["larger is more"]);
    }
}
