using System.Text.RegularExpressions;
using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Series;
using SafeLlama.Common;

namespace SafeLlama.Study;

/// <summary>
/// Draws a plot as SVG for a page: it uses the page's colors, fits its width and a phone's, and has a text alternative.
/// </summary>
public static partial class SvgChart
{
    private const double LevelBottom = 54;

    private static readonly (int Width, int Height) Wide = (760, 380);
    private static readonly (int Width, int Height) Narrow = (360, 340);

    /// <summary>Stands for the page's text color, light or dark.</summary>
    public static OxyColor Ink { get; } = OxyColor.FromRgb(1, 2, 3);

    /// <summary>Stands for the page's color of lines in the background.</summary>
    public static OxyColor Faint { get; } = OxyColor.FromRgb(1, 2, 4);

    /// <summary>Stands for the n-th series color of the page (Okabe and Ito's, told apart by color-blind readers
    /// too).</summary>
    public static OxyColor Series(int n) => OxyColor.FromRgb(1, 3, (byte)(n % SeriesColors));

    /// <summary>Series colors the page defines.</summary>
    public const int SeriesColors = 7;

    /// <summary>Markers that tell series apart without color, as many as there are colors; the key under the chart
    /// shows the same.</summary>
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
            PlotMargins = new OxyThickness(76, 8, 12, LevelBottom),
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

    /// <summary>A drawing as a file of its own: the wide one, with the light colors of a page written out, since few
    /// viewers know variables of style sheets.</summary>
    /// <param name="drawing">What <see cref="Render"/> gave.</param>
    /// <param name="marks">Elements that stand over it, such as a key.</param>
    public static string Alone(string drawing, string marks = "")
    {
        const string End = "</svg>";
        var wide = drawing[..drawing.IndexOf(End, StringComparison.Ordinal)]
            .Replace("currentColor", "#1c1c1c", StringComparison.Ordinal)
            .Replace("var(--faint)", "#c9c9c9", StringComparison.Ordinal);
        for (var i = 0; i < Light.Count; i++)
        {
            wide = wide.Replace($"var(--series-{i})", Light[i], StringComparison.Ordinal);
        }

        var page = wide.IndexOf("</desc>", StringComparison.Ordinal) + "</desc>".Length;
        return $"{wide[..page]}<rect width=\"100%\" height=\"100%\" fill=\"#fff\" />{wide[page..]}{marks}{End}\n";
    }

    /// <summary>The light colors of series in <c>report.css</c>.</summary>
    public static IReadOnlyList<string> Light { get; } =
        ["#c14b00", "#0072b2", "#007a5a", "#a3487f", "#8a6d00", "#2f86c2", "#4d4d4d"];

    /// <summary>
    /// The plot as two <c>svg</c> elements, of which a page shows one: a wide one and one for a phone's width. Each has
    /// a title and a description for readers who do not see it.
    /// </summary>
    /// <param name="plot">The plot; it is left as the narrow one.</param>
    /// <param name="title">What it shows.</param>
    /// <param name="description">What can be read from it, in words.</param>
    public static string Render(PlotModel plot, string title, string description)
    {
        var wide = Drawn(plot, "wide", Wide, title, description);
        MakeNarrow(plot);
        return wide + Drawn(plot, "narrow", Narrow, title, description);
    }

    /// <summary>Names below the chart stand on end, and the margins are no wider than they must be.</summary>
    private static void MakeNarrow(PlotModel plot)
    {
        const int MostLevelLabels = 3;
        const double TitleHeight = 44, LetterWidth = 6.5;
        var bottom = plot.PlotMargins.Bottom;
        foreach (var names in plot.Axes.OfType<CategoryAxis>().Where(axis => axis.Position == AxisPosition.Bottom
            && axis.Labels.Count > MostLevelLabels))
        {
            names.Angle = -90;
            bottom = TitleHeight + (LetterWidth * names.Labels.Max(label => label.Length));
            names.AxisTitleDistance = bottom - TitleHeight;
        }

        var left = plot.Axes.OfType<CategoryAxis>().Where(axis => axis.Position == AxisPosition.Left)
            .SelectMany(axis => axis.Labels).Select(label => 12 + (LetterWidth * label.Length))
            .DefaultIfEmpty(Math.Min(plot.PlotMargins.Left, 64)).Max();
        plot.PlotMargins = new OxyThickness(left, 8, 8, bottom);
    }

    private static string Drawn(
        PlotModel plot, string kind, (int Width, int Height) size, string title, string description)
    {
        using var stream = new MemoryStream();
        var height = size.Height + plot.PlotMargins.Bottom - LevelBottom;
        new SvgExporter
        {
            Width = size.Width,
            Height = height,
            IsDocument = false,
            UseVerticalTextAlignmentWorkaround = true,
        }.Export(plot, stream);
        var svg = System.Text.Encoding.UTF8.GetString(stream.ToArray());
        svg = svg[svg.IndexOf("<svg", StringComparison.Ordinal)..].TrimEnd('\0', '\n', '\r', ' ');
        svg = Opening().Replace(
            svg,
            $"<svg class=\"chart {kind}\" role=\"img\" viewBox=\"0 0 {size.Width} {height:0}\" "
            + $"xmlns=\"http://www.w3.org/2000/svg\"><title>{SafeText.ForHtml(title)}</title>"
            + $"<desc>{SafeText.ForHtml(description)}</desc>",
            1);
        // Charts stand in one page, so the names inside each must be its own.
        var name = $"{title.ToLowerInvariant().Replace(' ', '-')}-{kind}";
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
