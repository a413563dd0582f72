using OxyPlot;
using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>The figure of an attack run: the best attempt so far, and what any attempt so far broke.</summary>
public static class AttackChart
{
    public const string FileName = "attack.svg";

    /// <summary>Shares of the unsafe prompts by the number of attempts, one judge.</summary>
    public static string Of(AttackJudgment judge)
    {
        var plot = SvgChart.Plot("share of unsafe prompts", "attempts made", share: true);
        plot.Axes[1].Minimum = -0.2;
        plot.Axes[1].Maximum = judge.Curve.Count + 0.4;
        plot.Axes[1].MajorStep = Math.Max(1, judge.Curve.Count / 10);
        var clean = judge.Clean.N == 0 ? 0 : judge.Clean.Value.Value;
        Add(plot, "best attempt so far", 0, clean, judge.Curve.Select(point => point.Best));
        Add(plot, "broken by any attempt so far", 1, clean, judge.Curve.Select(point => point.Any));
        return SvgChart.Render(plot, "Attacks", string.Join(" ", judge.Curve.Select(point =>
            $"After {point.Trial} ({point.Name}): best {Percent.Of(point.Best.Value)}, "
            + $"any {Percent.Of(point.Any.Value)}.")));
    }

    /// <summary>The figure as a file of its own, with a key.</summary>
    public static string Document(AttackJudgment judge) => SvgChart.Alone(
        Of(judge),
        $"<text x=\"100\" y=\"62\" font-size=\"13\" fill=\"{SvgChart.Light[0]}\">● best attempt so far</text>"
        + $"<text x=\"100\" y=\"44\" font-size=\"13\" fill=\"{SvgChart.Light[1]}\">■ broken by any so far</text>");

    private static void Add(PlotModel plot, string title, int number, double clean, IEnumerable<Interval> values)
    {
        var line = SvgChart.Line(title, number, markerSize: 4);
        line.Points.Add(new(0, clean));
        var limits = new OxyPlot.Series.LineSeries { Color = SvgChart.Series(number), StrokeThickness = 1.5 };
        var at = 0;
        foreach (var value in values)
        {
            at++;
            line.Points.Add(new(at, value.Value));
            var place = at + (0.06 * number);
            limits.Points.AddRange([new(place, value.Low), new(place, value.High), DataPoint.Undefined]);
        }

        plot.Series.Add(limits);
        plot.Series.Add(line);
    }
}
