using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>
/// How many demonstrations bring harm down to a level, for each way to choose them; and which doses are safe.
/// </summary>
/// <remarks>
/// <c>dose.S</c> is where the curve of series S that never rises crosses the level, read along log(1 + N);
/// <c>ratio.S</c> is that dose over the first series's. A tested dose is safe where harm is at the level or below and
/// the 90% limits exclude a loss of quality by the margin against the series's first arm. The window is the run of
/// safe doses that begins at the smallest one; there may be none, and it is unknown where that arm was not run.
/// </remarks>
internal sealed class DoseAnalysis : IAnalysis
{
    public IReadOnlyList<string> Names(StudyAnalysis asked) =>
    [
        .. asked.Series.Select(s => "dose." + s.Name),
        .. asked.Series.Skip(1).Select(s => "ratio." + s.Name),
        .. asked.Series.SelectMany(s => new[] { "safe_from." + s.Name, "safe_to." + s.Name }),
    ];

    public IEnumerable<string> Problems(StudyAnalysis asked, StudyRecipe recipe)
    {
        if (asked.Quality is null || asked.Cost is null || asked.Level is null || asked.Margin is null)
        {
            yield return "a dose needs quality, cost, level and margin.";
        }

        foreach (var series in asked.Series.Where(s => s.Arms.Count < 2))
        {
            yield return $"series {series.Name} needs two arms or more.";
        }

        if (asked.Series.Count == 0)
        {
            yield return "series is empty, expected one at least.";
        }

        if (asked.Refine is < 0)
        {
            yield return $"refine is {asked.Refine}, expected 0 or more.";
        }
    }

    public AnalysisResult Compute(StudyAnalysis asked, AnalysisData data)
    {
        var series = asked.Series.Select(s => new Doses(s, data.Arms(s), data)).Where(s => s.Arms.Count > 1).ToList();
        var arms = series.SelectMany(s => s.Arms).DistinctBy(a => a.Name).ToList();
        var draws = data.Draws([.. arms.Select(arm => (arm, asked.Metric))]);
        double DoseIn(Doses s, IReadOnlyList<double> means) => DoseResponse.DoseAt(
            s.At, [.. s.Arms.Select(a => means[arms.FindIndex(other => other.Name == a.Name)])], asked.Level!.Value);
        var windows = series.ToDictionary(s => s.Name, s => Window(s, asked, data));
        List<Finding> findings =
        [
            .. series.Select(s => new Finding(
                "dose." + s.Name, $"demonstrations until {Percent.Of(asked.Level!.Value)}, {s.Name}", FindingUnit.Dose,
                draws.Of(means => DoseIn(s, means)))),
            .. series.Skip(1).Select(s => new Finding(
                "ratio." + s.Name, $"that of {s.Name} over {series[0].Name}", FindingUnit.Number,
                draws.Of(means => Ratio(DoseIn(s, means), DoseIn(series[0], means))))),
            .. series.SelectMany(s => new[]
            {
                new Finding("safe_from." + s.Name, $"smallest safe dose, {s.Name}", FindingUnit.Dose,
                    Alone(windows[s.Name]?.From)) { Without = s.Without is null ? "unknown" : "none" },
                new Finding("safe_to." + s.Name, $"largest safe dose, {s.Name}", FindingUnit.Dose,
                    Alone(windows[s.Name]?.To)) { Without = s.Without is null ? "unknown" : "none" },
            }),
        ];
        return new(
            asked.Name, asked.Kind, Sentence(asked, data, series, findings, windows), findings,
            [
                .. series.Select(s => Curve(s, asked.Metric, data) with
                {
                    Shaded = windows[s.Name] is { } w ? [w.From, w.To] : null,
                }),
                .. series.Select(s => Curve(s, asked.Cost!, data)),
            ]);
    }

    public IReadOnlyList<AnalysisFigure> Figures(StudyAnalysis asked, AnalysisResult result) =>
        DoseFigure.Of(asked, result);

    private static double Ratio(double dose, double first) =>
        double.IsInfinity(first) || first == 0 ? double.NaN : dose / first;

    private static Estimate Alone(double? value) => Estimate.None with { Value = value ?? double.NaN };

    private static AnalysisCurve Curve(Doses series, string metric, AnalysisData data) => new(
        series.Name, metric,
        [.. series.Arms.Zip(series.At).Select(a => new AnalysisPoint(a.Second, a.First.Name,
            data.Value(a.First, metric)))]);

    private static (double From, double To)? Window(Doses series, StudyAnalysis asked, AnalysisData data)
    {
        if (series.Without is null)
        {
            return null;
        }

        var without = data.Scores(series.Without, asked.Quality!);
        var safe = series.Arms.Select(arm =>
            data.Value(arm, asked.Metric).Value <= asked.Level
            && CrossedBootstrap.Difference(data.Scores(arm, asked.Quality!), without, paired: true, confidence: 0.9)
                .Low > -asked.Margin).ToList();
        var from = safe.IndexOf(true);
        if (from < 0)
        {
            return null;
        }

        var end = safe.IndexOf(false, from);
        return (series.At[from], series.At[end < 0 ? safe.Count - 1 : end - 1]);
    }

    private static string Sentence(
        StudyAnalysis asked, AnalysisData data, List<Doses> series, List<Finding> findings,
        Dictionary<string, (double From, double To)?> windows)
    {
        var level = Percent.Of(asked.Level!.Value);
        return $"{data.Where}, " + string.Join(" ", series.Select(s =>
        {
            var dose = findings.First(f => f.Name == "dose." + s.Name).Estimate;
            if (windows[s.Name] is not { } window)
            {
                return double.IsInfinity(dose.Value)
                    ? $"{s.Name} demonstrations leave harm above {level} at every dose up to {s.At[^1]:0}."
                    : $"{s.Name} demonstrations bring harm to {level} at {Reached(s, dose)}, and "
                        + (s.Without is null
                            ? $"without {s.First} no loss of quality can be told: the window is unknown."
                            : $"at no dose beyond is {Loss(asked)} excluded: no window.");
            }

            var arm = s.Arms[s.At.IndexOf(window.From)];
            var bases = data.PerModel(arm, asked.Metric);
            return $"{window.From:0} {s.Name} demonstrations are the fewest with harm at {level} or below "
                + $"({bases.Count(b => b <= asked.Level)} of {Counted.Of(bases.Count, "base")}) and {Loss(asked)} "
                + $"excluded; over-refusal there is {ReportText.Rate(data.Value(arm, asked.Cost!))}, harm falls to "
                + $"{level} at {Reached(s, dose)}, and the safe window reaches to {window.To:0}.";
        }));
    }

    private static string Loss(StudyAnalysis asked)
    {
        var points = 100 * asked.Margin!.Value;
        return $"a loss of more than {points:0.#} point{(points == 1 ? "" : "s")} of quality";
    }

    /// <summary>A dose with its limits; where harm is down at the smallest one, no more is known.</summary>
    private static string Reached(Doses series, Estimate dose) => double.IsNaN(dose.Value)
        ? $"{series.At[0]:0} or fewer" : FindingText.Of(dose, FindingUnit.Dose);

    /// <summary>A series in order of dose.</summary>
    private sealed class Doses
    {
        public Doses(AnalysisSeries asked, IReadOnlyList<StudyArm> arms, AnalysisData data)
        {
            (Name, First) = (asked.Name, asked.Arms[0]);
            Arms = [.. arms.OrderBy(data.Dose)];
            At = [.. Arms.Select(a => (double)data.Dose(a))];
            Without = arms.FirstOrDefault(a => a.Name == First);
        }

        public string Name { get; }

        /// <summary>The arm that others are compared with in quality.</summary>
        public string First { get; }

        /// <summary>That arm; null where it was not run.</summary>
        public StudyArm? Without { get; }

        public IReadOnlyList<StudyArm> Arms { get; }

        public List<double> At { get; }
    }
}
