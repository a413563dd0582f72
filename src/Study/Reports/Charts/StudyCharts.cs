using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Series;
using SafeLlama.Common;

namespace SafeLlama.Study;

/// <summary>The charts of a study's report.</summary>
public static class StudyCharts
{
    /// <summary>The headline metrics along the dose, with limits as bars and one small mark per replicate.</summary>
    public static string Dose(IReadOnlyList<ArmResult> arms, IReadOnlyList<StudyMetric> metrics) => Beside(
        arms, metrics, "Dose curve", "safety demonstrations", joined: true,
        arm => ($"{arm.Safety} ({Percent.Of(arm.Share, "0.0")})", $"at {arm.Safety}"));

    /// <summary>The headline metrics of every arm, where no series of doses joins them.</summary>
    public static string Arms(IReadOnlyList<ArmResult> arms, IReadOnlyList<StudyMetric> metrics) => Beside(
        arms, metrics, "Arms", "arm", joined: false, arm => (arm.Arm.Name, $"for {arm.Arm.Name}"));

    /// <param name="joined">Whether lines join the arms.</param>
    /// <param name="labels">An arm's label under the chart, and its place in words.</param>
    private static string Beside(
        IReadOnlyList<ArmResult> arms, IReadOnlyList<StudyMetric> metrics, string title, string below, bool joined,
        Func<ArmResult, (string Label, string Place)> labels)
    {
        const int MostLevelLabels = 8;
        var plot = SvgChart.Plot("share of answers", "", share: true);
        var axis = new CategoryAxis
        {
            Position = AxisPosition.Bottom,
            Title = below,
            TicklineColor = SvgChart.Faint,
            IsTickCentered = true,
            AxisTitleDistance = 6,
            Angle = arms.Count > MostLevelLabels ? -25 : 0,
        };
        axis.Labels.AddRange(arms.Select(arm => labels(arm).Label));
        plot.Axes.Add(axis);
        for (var m = 0; m < metrics.Count; m++)
        {
            AddMetric(plot, arms, metrics, m, joined);
        }

        return SvgChart.Render(
            plot,
            title,
            string.Join(" ", metrics.Select(metric => $"{metric.Title}: " + string.Join(", ", arms.Select(arm =>
                $"{Percent.Of(arm.Metric(metric.Name).Value.Value)} {labels(arm).Place}")) + ".")));
    }

    /// <summary>The loss of every arm (one seed) by training step, smoothed over the last steps.</summary>
    public static string Training(IReadOnlyList<(string Arm, TrainingSummary Training)> curves)
    {
        var plot = SvgChart.Plot("", "optimizer step", share: false);
        plot.Axes[0] = new LogarithmicAxis
        {
            Position = AxisPosition.Left,
            Title = "loss per answer token (nats), mean of 10",
            MajorGridlineStyle = LineStyle.Solid,
            MajorGridlineColor = SvgChart.Faint,
            MinorGridlineStyle = LineStyle.Dot,
            MinorGridlineColor = SvgChart.Faint,
            TicklineColor = SvgChart.Faint,
            AxisTitleDistance = 18,
        };
        for (var i = 0; i < curves.Count; i++)
        {
            var line = SvgChart.Line(curves[i].Arm, i, markerSize: 3);
            line.LineStyle = i < SvgChart.SeriesColors ? LineStyle.Solid : LineStyle.Dash;
            var curve = curves[i].Training.Curve;
            for (var at = 0; at < curve.Count; at += Math.Max(1, curve.Count / 40))
            {
                var recent = curve.Skip(Math.Max(0, at - 9)).Take(Math.Min(10, at + 1)).Average(point => point.Loss);
                line.Points.Add(new DataPoint(curve[at].Step, recent));
            }

            plot.Series.Add(line);
        }

        return SvgChart.Render(plot, "Training curves",
            string.Join(" ", curves.Where(c => c.Training.Curve.Count > 0).Select(c =>
            $"{c.Arm}: from {c.Training.Curve[0].Loss:0.00} to {c.Training.Curve[^1].Loss:0.00} in {c.Training.Steps} "
            + "steps.")));
    }

    /// <summary>The probability of a refusal by the scale of the adapter, one line per prompt.</summary>
    public static string Scale(IReadOnlyList<ScaleProbe> probes)
    {
        var plot = SvgChart.Plot("probability of a refusal", "scale of the adapter (0 = base, 1 = tuned)", share: true);
        for (var i = 0; i < probes.Count; i++)
        {
            var line = SvgChart.Line(ReportText.Shown(probes[i].Prompt), i, markerSize: 4);
            line.Points.AddRange(probes[i].Points.Select(point => new DataPoint(point.Scale, point.Refusal)));
            plot.Series.Add(line);
        }

        return SvgChart.Render(plot, "Refusal by the adapter's scale", string.Join(" ", probes.Select(probe =>
            $"{ReportText.Shown(probe.Prompt)} "
                + string.Join(", ", probe.Points.Select(p => $"{Percent.Of(p.Refusal)} at {p.Scale:0.##}"))
                + ".")));
    }

    /// <summary>The singular values of the updates in one layer, one line per matrix.</summary>
    public static string Spectrum(IReadOnlyList<MatrixAnatomy> layer)
    {
        var plot = SvgChart.Plot("singular value of (α/r)·BA", "direction", share: false);
        plot.Axes[0].Minimum = 0;
        plot.Axes[1].MajorStep = 1;
        for (var i = 0; i < layer.Count; i++)
        {
            var line = SvgChart.Line(layer[i].Matrix, i, markerSize: 4);
            line.Points.AddRange(layer[i].SingularValues.Select((value, k) => new DataPoint(k + 1, value)));
            plot.Series.Add(line);
        }

        return SvgChart.Render(plot, "Singular values", string.Join(" ", layer.Select(m =>
            $"{m.Matrix}: {string.Join(", ", m.SingularValues.Select(v => v.ToString("0.00")))}.")));
    }

    private static void AddMetric(
        PlotModel plot, IReadOnlyList<ArmResult> arms, IReadOnlyList<StudyMetric> metrics, int number, bool joined)
    {
        var metric = metrics[number];
        var color = SvgChart.Series(number);
        // A little apart, so that the bars of two metrics do not cover each other.
        var shift = (number - (metrics.Count - 1) / 2.0) * 0.06;
        var line = SvgChart.Line(metric.Title, number, markerSize: 5);
        line.StrokeThickness = joined ? 2.5 : 0;
        var limits = new LineSeries { Color = color, StrokeThickness = 1.5 };
        var seeds = new ScatterSeries
        {
            MarkerType = MarkerType.Circle,
            MarkerSize = 2,
            MarkerFill = OxyColors.Undefined,
            MarkerStroke = color,
            MarkerStrokeThickness = 1
        };
        for (var i = 0; i < arms.Count; i++)
        {
            var result = arms[i].Metric(metric.Name);
            line.Points.Add(new DataPoint(i + shift, result.Value.Value));
            limits.Points.AddRange(
                [new(i + shift, result.Value.Low), new(i + shift, result.Value.High), DataPoint.Undefined]);
            if (result.PerReplicate.Count > 1)
            {
                seeds.Points.AddRange(result.PerReplicate.Select(value => new ScatterPoint(i + shift + 0.02, value)));
            }
        }

        plot.Series.Add(limits);
        plot.Series.Add(line);
        plot.Series.Add(seeds);
    }
}
