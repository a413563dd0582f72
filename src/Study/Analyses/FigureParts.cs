using System.Globalization;
using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Series;
using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>What a figure of lines is called, and how its axes are.</summary>
internal sealed record LineFigure(string Title, string Vertical, string Horizontal, bool Share)
{
    /// <summary>Both axes are logarithmic.</summary>
    public bool Logarithmic { get; init; }

    /// <summary>Values are differences of shares, told in points.</summary>
    public bool Points { get; init; }

    /// <summary>A value in words.</summary>
    public string Told(double value) => Points ? $"{InPoints(value)} points" : $"{value:0.###}";

    /// <summary>0.125 as +12.5.</summary>
    public static string InPoints(double value) => (100 * value).ToString("+0.#;−0.#;0", CultureInfo.InvariantCulture);

    /// <summary>Names of the places 0, 1, … along the bottom; null for numbers.</summary>
    public IReadOnlyList<string>? Labels { get; init; }
}

/// <summary>Parts that several figures share.</summary>
internal static class FigureParts
{
    /// <summary>One line per curve, with limits as bars.</summary>
    public static AnalysisFigure Lines(LineFigure asked, IReadOnlyList<AnalysisCurve> curves)
    {
        var plot = SvgChart.Plot(asked.Vertical, asked.Horizontal, asked.Share);
        if (asked.Logarithmic)
        {
            for (var i = 0; i < 2; i++)
            {
                plot.Axes[i] = new LogarithmicAxis
                {
                    Position = plot.Axes[i].Position,
                    Title = plot.Axes[i].Title,
                    TicklineColor = SvgChart.Faint,
                    MajorGridlineStyle = LineStyle.Solid,
                    MajorGridlineColor = SvgChart.Faint,
                    AxisTitleDistance = i == 0 ? 18 : 6,
                };
            }
        }
        else if (asked.Labels is { } labels)
        {
            var axis = new CategoryAxis
            {
                Position = AxisPosition.Bottom,
                Title = asked.Horizontal,
                TicklineColor = SvgChart.Faint,
            };
            axis.Labels.AddRange(labels);
            plot.Axes[1] = axis;
        }

        if (asked.Points)
        {
            plot.Axes[0].LabelFormatter = LineFigure.InPoints;
        }

        for (var i = 0; i < curves.Count; i++)
        {
            AddCurve(plot, curves[i].Name, i, curves[i].Points.Select(p => (p.X, p.Value)));
        }

        return new(asked.Title, SvgChart.Render(plot, asked.Title, string.Join(" ", curves.Select(c => $"{c.Name}: "
            + string.Join(", ", c.Points.Select(p => asked.Share ? $"{Percent.Of(p.Value.Value)} at {p.X:0.##}"
                : $"{asked.Told(p.Value.Value)} at {asked.Labels?[(int)p.X] ?? p.X.ToString("0.##")}")) + "."))),
            [.. curves.Select(c => c.Name)]);
    }

    /// <summary>A line with its limits as bars.</summary>
    public static void AddCurve(
        PlotModel plot, string name, int number, IEnumerable<(double X, Interval Value)> points)
    {
        var line = SvgChart.Line(name, number, markerSize: 4);
        line.LineStyle = number < SvgChart.SeriesColors ? LineStyle.Solid : LineStyle.Dash;
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
