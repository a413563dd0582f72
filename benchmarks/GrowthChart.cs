using System.Text;
using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Series;

namespace SafeLlama.Benchmarks;

/// <summary>One size of a series, measured.</summary>
/// <param name="Size">What was doubled.</param>
/// <param name="Flops">Operations of a step, by the model's own count.</param>
/// <param name="CpuSeconds">Of a step.</param>
/// <param name="TensorMegabytes">What the step's tensors take, by plan.</param>
/// <param name="PeakMegabytes">The most memory the process held.</param>
internal sealed record GrowthPoint(
    int Size, double Flops, double CpuSeconds, double TensorMegabytes, double PeakMegabytes)
{
    /// <summary>The p of time ∝ operationsᵖ, by least squares on logarithms; NaN for a single size.</summary>
    public static double Exponent(IReadOnlyList<GrowthPoint> points)
    {
        var (x, y) = (points.Average(p => Math.Log(p.Flops)), points.Average(p => Math.Log(p.CpuSeconds)));
        return points.Sum(p => (Math.Log(p.Flops) - x) * (Math.Log(p.CpuSeconds) - y))
            / points.Sum(p => Math.Pow(Math.Log(p.Flops) - x, 2));
    }
}

/// <summary>
/// Cost against count, both on logarithmic axes: what grows as it should lies along the line of slope 1.
/// </summary>
internal static class GrowthChart
{
    /// <summary>Okabe and Ito's colors, told apart by color-blind readers too.</summary>
    private static readonly OxyColor[] Colors =
    [
        OxyColor.FromRgb(0x00, 0x72, 0xB2), OxyColor.FromRgb(0xD5, 0x5E, 0x00), OxyColor.FromRgb(0x00, 0x9E, 0x73),
        OxyColor.FromRgb(0xCC, 0x79, 0xA7),
    ];

    private static readonly (MarkerType Type, char Sign)[] Markers =
        [(MarkerType.Circle, '●'), (MarkerType.Square, '■'), (MarkerType.Triangle, '▲'), (MarkerType.Diamond, '◆')];

    /// <summary>Step time against operations, beside the multiply-add limit of one core.</summary>
    public static void WriteTime(
        string file, List<(string Name, List<GrowthPoint> Points)> series, double limit) => Write(
        file, "GFLOP of a step", "CPU seconds of a step", series, p => (p.Flops / 1e9, p.CpuSeconds),
        ("multiply-add limit of one core", 1 / limit));

    /// <summary>Memory against what the plan says.</summary>
    public static void WriteMemory(string file, List<(string Name, List<GrowthPoint> Points)> series) => Write(
        file, "planned MB of tensors", "peak MB of the process", series, p => (p.TensorMegabytes, p.PeakMegabytes),
        ("as planned", 1));

    private static void Write(
        string file, string horizontal, string vertical, List<(string Name, List<GrowthPoint> Points)> series,
        Func<GrowthPoint, (double X, double Y)> place, (string Name, double Slope) reference)
    {
        var plot = new PlotModel
        {
            Background = OxyColors.White,
            DefaultFont = "sans-serif",
            DefaultFontSize = 13,
            // Wide enough for any reader's fonts: what a browser draws with cannot be measured here.
            PlotMargins = new OxyThickness(64, 8, 12, 48),
        };
        plot.Axes.Add(Axis(AxisPosition.Bottom, horizontal));
        plot.Axes.Add(Axis(AxisPosition.Left, vertical));
        var line = new LineSeries { Color = OxyColors.Gray, LineStyle = LineStyle.Dash };
        double[] ends = [.. series.SelectMany(s => s.Points).Select(p => place(p).X)];
        line.Points.AddRange([.. new[] { ends.Min(), ends.Max() }.Select(x => new DataPoint(x, x * reference.Slope))]);
        plot.Series.Add(line);
        for (var i = 0; i < series.Count; i++)
        {
            var color = Colors[i % Colors.Length];
            var measured = new LineSeries
            {
                Color = color,
                MarkerType = Markers[i % Markers.Length].Type,
                MarkerFill = color,
                MarkerSize = 4,
            };
            measured.Points.AddRange(series[i].Points.Select(place).Select(p => new DataPoint(p.X, p.Y)));
            plot.Series.Add(measured);
        }

        using var svg = new MemoryStream();
        new SvgExporter { Width = 760, Height = 440, UseVerticalTextAlignmentWorkaround = true }.Export(plot, svg);
        var text = Encoding.UTF8.GetString(svg.ToArray());
        File.WriteAllText(file, text[..text.LastIndexOf("</svg>", StringComparison.Ordinal)] + Key() + "</svg>\n");

        string Key() => string.Concat(series
            .Select((s, i) => ($"{Markers[i % Markers.Length].Sign} {s.Name}", Colors[i % Colors.Length]))
            .Append(($"╌ {reference.Name}, slope 1", line.Color))
            .Select((entry, i) =>
                $"""<text x="80" y="{30 + (18 * i)}" font-family="sans-serif" font-size="13" """
                + $"""fill="rgb({entry.Item2.R},{entry.Item2.G},{entry.Item2.B})">{entry.Item1}</text>\n"""));
    }

    private static LogarithmicAxis Axis(AxisPosition position, string title) => new()
    {
        Position = position,
        Title = title,
        AxisTitleDistance = position == AxisPosition.Left ? 18 : 8,
        MajorGridlineStyle = LineStyle.Solid,
        MajorGridlineColor = OxyColors.LightGray,
        MinorGridlineStyle = LineStyle.Dot,
        MinorGridlineColor = OxyColors.LightGray,
    };
}
