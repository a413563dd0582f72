using System.Text;
using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Series;

namespace SafeLlama.Benchmarks;

/// <summary>Efficiency against the number of ranks, of each kind of machine and link.</summary>
internal static class RanksChart
{
    /// <summary>Okabe and Ito's colors, told apart by color-blind readers too.</summary>
    private static readonly OxyColor[] Colors =
    [
        OxyColor.FromRgb(0x00, 0x72, 0xB2), OxyColor.FromRgb(0xD5, 0x5E, 0x00), OxyColor.FromRgb(0x00, 0x9E, 0x73),
        OxyColor.FromRgb(0xCC, 0x79, 0xA7),
    ];

    public static void Write(string file, List<(string Name, RanksModel Model)> models)
    {
        var plot = new PlotModel
        {
            Background = OxyColors.White,
            DefaultFont = "sans-serif",
            DefaultFontSize = 13,
            PlotMargins = new OxyThickness(64, 8, 12, 48),
        };
        plot.Axes.Add(new LogarithmicAxis
        {
            Position = AxisPosition.Bottom,
            Title = "ranks",
            Base = 2,
            Minimum = 1,
            Maximum = 512,
            MajorGridlineStyle = LineStyle.Solid,
            MajorGridlineColor = OxyColors.LightGray,
        });
        plot.Axes.Add(new LinearAxis
        {
            Position = AxisPosition.Left,
            Title = "efficiency, %",
            Minimum = 0,
            Maximum = 102,
            MajorGridlineStyle = LineStyle.Solid,
            MajorGridlineColor = OxyColors.LightGray,
        });
        for (var i = 0; i < models.Count; i++)
        {
            var line = new LineSeries { Color = Colors[i], MarkerType = MarkerType.Circle, MarkerSize = 3 };
            line.Points.AddRange(Enumerable.Range(0, 10).Select(k => 1 << k)
                .Select(ranks => new DataPoint(ranks, 100 * models[i].Model.Efficiency(ranks))));
            plot.Series.Add(line);
        }

        using var svg = new MemoryStream();
        new SvgExporter { Width = 760, Height = 400, UseVerticalTextAlignmentWorkaround = true }.Export(plot, svg);
        var text = Encoding.UTF8.GetString(svg.ToArray());
        var key = string.Concat(models.Select((m, i) =>
            $"""<text x="80" y="{260 + (18 * i)}" font-family="sans-serif" font-size="13" """
            + $"""fill="rgb({Colors[i].R},{Colors[i].G},{Colors[i].B})">● {m.Name}</text>\n"""));
        File.WriteAllText(file, text[..text.LastIndexOf("</svg>", StringComparison.Ordinal)] + key + "</svg>\n");
    }
}
