using System.Text.RegularExpressions;
using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Series;
using SafeLlama.Common;

namespace SafeLlama.Study;

/// <summary>
/// Draws a plot as SVG for a page: it uses the page's colors, fits its width, and has a text alternative.
/// </summary>
public static partial class SvgChart
{
    private const int Width = 760;
    private const int Height = 380;

    /// <summary>Stands for the page's text color, light or dark.</summary>
    public static OxyColor Ink { get; } = OxyColor.FromRgb(1, 2, 3);

    /// <summary>Stands for the page's color of lines in the background.</summary>
    public static OxyColor Faint { get; } = OxyColor.FromRgb(1, 2, 4);

    /// <summary>Stands for the n-th series color of the page (Okabe and Ito's, told apart by color-blind readers
    /// too).</summary>
    public static OxyColor Series(int n) => OxyColor.FromRgb(1, 3, (byte)(n % SeriesColors));

    /// <summary>Series colors the page defines.</summary>
    public const int SeriesColors = 7;

    /// <summary>Markers that tell series apart without color, as many as there are colors; the key under the chart shows
    /// the same.</summary>
    public static MarkerType Marker(int n) => (n % SeriesColors % 4) switch
    {
        0 => MarkerType.Circle,
        1 => MarkerType.Square,
        2 => MarkerType.Triangle,
        _ => MarkerType.Diamond,
    };

    /// <summary>What fills a marker: its series' color four times, then nothing.</summary>
    public static OxyColor MarkerFill(int n) => n % SeriesColors < 4 ? Series(n) : OxyColors.Transparent;

    /// <summary>The n-th line of a plot, still without points.</summary>
    public static LineSeries Line(string title, int n, double markerSize) => new()
    {
        Title = title,
        Color = Series(n),
        MarkerType = Marker(n),
        MarkerFill = MarkerFill(n),
        MarkerStroke = Series(n),
        MarkerStrokeThickness = 1.5,
        MarkerSize = markerSize,
    };

    /// <summary>An empty plot in the page's style.</summary>
    public static PlotModel Plot(string vertical, string horizontal, bool share)
    {
        var plot = new PlotModel
        {
            Background = OxyColors.Transparent,
            PlotAreaBorderColor = Faint,
            TextColor = Ink,
            DefaultFont = "sans-serif",
            DefaultFontSize = 13,
            // Wide enough for any font, since the browser's fonts are unknown here.
            PlotMargins = new OxyThickness(76, 8, 12, 54),
            IsLegendVisible = false,
        };
        plot.Axes.Add(new LinearAxis
        {
            Position = AxisPosition.Left,
            Title = vertical,
            // A little room, so that marks at 0% and 100% are whole.
            Minimum = share ? -0.02 : double.NaN,
            Maximum = share ? 1.03 : double.NaN,
            MaximumPadding = 0.04,
            MajorStep = share ? 0.2 : double.NaN,
            StringFormat = share ? "0%" : null,
            MajorGridlineStyle = LineStyle.Solid,
            MajorGridlineColor = Faint,
            TicklineColor = Faint,
            MinorTickSize = 0,
            AxisTitleDistance = 18,
        });
        if (horizontal.Length > 0)
        {
            plot.Axes.Add(new LinearAxis
            {
                Position = AxisPosition.Bottom,
                Title = horizontal,
                TicklineColor = Faint,
                MinorTickSize = 0,
                AxisTitleDistance = 6,
            });
        }

        return plot;
    }

    /// <summary>A drawing as a file of its own: it brings the colors that it has from a page.</summary>
    public static string Alone(string svg)
    {
        var colors = string.Concat(Light.Select((color, i) => $"--series-{i}:{color};"));
        return Opening().Replace(
            svg,
            opening => $"{opening.Value}<style>svg{{background:#fff;color:#1c1c1c;--faint:#c9c9c9;{colors}}}</style>",
            1) + "\n";
    }

    /// <summary>The light colors of <c>report.css</c>.</summary>
    private static readonly string[] Light =
        ["#c14b00", "#0072b2", "#007a5a", "#a3487f", "#8a6d00", "#2f86c2", "#4d4d4d"];

    /// <summary>The plot as one <c>svg</c> element with a title and a description for readers who do not see
    /// it.</summary>
    /// <param name="plot">The plot.</param>
    /// <param name="title">What it shows.</param>
    /// <param name="description">What can be read from it, in words.</param>
    public static string Render(PlotModel plot, string title, string description)
    {
        using var stream = new MemoryStream();
        new SvgExporter
        {
            Width = Width,
            Height =
            Height,
            IsDocument = false,
            UseVerticalTextAlignmentWorkaround = true
        }.Export(plot, stream);
        var svg = System.Text.Encoding.UTF8.GetString(stream.ToArray());
        svg = svg[svg.IndexOf("<svg", StringComparison.Ordinal)..].TrimEnd('\0', '\n', '\r', ' ');
        svg = Opening().Replace(
            svg,
            $"<svg class=\"chart\" role=\"img\" viewBox=\"0 0 {Width} {Height}\" xmlns=\"http://www.w3.org/2000/svg\">"
            + $"<title>{SafeText.ForHtml(title)}</title><desc>{SafeText.ForHtml(description)}</desc>",
            1);
        // Charts stand in one page, so the names inside each must be its own.
        var name = title.ToLowerInvariant().Replace(' ', '-');
        return Color().Replace(svg, PageColor).Replace("clipPath", "clip-" + name, StringComparison.Ordinal)
            .Replace("<clip-" + name, "<clipPath", StringComparison.Ordinal).Replace("</clip-"
                + name, "</clipPath", StringComparison.Ordinal);
    }

    private static string PageColor(Match color) => (color.Groups[1].Value, color.Groups[2].Value) switch
    {
        ("2", "3") => "currentColor",
        ("2", _) => "var(--faint)",
        var (_, series) => $"var(--series-{series})",
    };

    [GeneratedRegex("<svg[^>]*>")]
    private static partial Regex Opening();

    [GeneratedRegex(@"rgb\(1,(2|3),(\d+)\)")]
    private static partial Regex Color();
}
