using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>How long refusal lasts: over the turns of a conversation, or over further training.</summary>
/// <remarks>
/// A conversation is an act; it ends with the first request that is served (Kaplan and Meier), and an invalid answer
/// before censors it; where every act is served or censored before the end, the rest of the curve is unknown. Without
/// times, each arm is a curve and the categories of the metric's prompts end in the turn. With times, each series is a
/// curve and its arms are stages at these times.
/// <c>half_life.C</c> is the first time at which half or less still refuse, infinite where more do to the end;
/// <c>last.C</c> the share that refuses to the end; <c>p.C</c> the log-rank test of curve C against the first one, on
/// acts, with the first base and seed.
/// </remarks>
internal sealed class SurvivalAnalysis : IAnalysis
{
    public IReadOnlyList<string> Names(StudyAnalysis asked)
    {
        IReadOnlyList<string> curves = asked.Times is null
            ? [.. asked.Series.SelectMany(s => s.Arms).Distinct()] : [.. asked.Series.Select(s => s.Name)];
        return
        [
            .. curves.SelectMany(c => new[] { "half_life." + c, "last." + c }), .. curves.Skip(1).Select(c => "p." + c),
        ];
    }

    public IEnumerable<string> Problems(StudyAnalysis asked, StudyRecipe recipe)
    {
        if (asked.Series.Count == 0)
        {
            yield return "series is empty, expected one at least.";
        }

        if (asked.Times is { } times)
        {
            if (times.Zip(times.Skip(1)).Any(p => p.Second <= p.First))
            {
                yield return "times must rise.";
            }

            foreach (var series in asked.Series.Where(s => s.Arms.Count != times.Count))
            {
                yield return $"series {series.Name} has {series.Arms.Count} arms and times {times.Count}.";
            }
        }
    }

    public AnalysisResult Compute(StudyAnalysis asked, AnalysisData data)
    {
        var curves = Lives.Of(asked, data);
        var times = curves.Count == 0 ? [] : curves[0].Times;
        if (times.Count == 0)
        {
            return new(asked.Name, asked.Kind, "", [], []);
        }

        var draws = new CrossedDraws(
            [.. curves.SelectMany(c => c.Cells())], [.. curves.SelectMany(c => c.Times.Select(_ => "acts"))]);
        double Left(IReadOnlyList<double> hazards, int curve, int time) => Enumerable.Range(0, time + 1)
            .Select(t => hazards[curve * times.Count + t]).Aggregate(1.0, (s, h) => s == 0 ? 0 : s * (1 - h));
        double Half(IReadOnlyList<double> hazards, int curve) => Enumerable.Range(0, times.Count)
            .Select(t => (Time: times[t], Left: Left(hazards, curve, t))).Where(p => !(p.Left > 0.5))
            .Select(p => double.IsNaN(p.Left) ? double.NaN : p.Time).DefaultIfEmpty(double.PositiveInfinity).First();

        // Curves of several analyses may be of the same arms.
        var name = data.Recipe.Analyses!.Count(a => a.Kind == asked.Kind) > 1 ? asked.Name + ": " : "";
        List<Finding> findings =
        [
            .. curves.SelectMany((c, i) => new[]
            {
                new Finding("half_life." + c.Name, $"{name}until half are served, {c.Name}", FindingUnit.Time,
                    draws.Of(m => Half(m, i))),
                new Finding("last." + c.Name, $"{name}share that refuses to the end, {c.Name}", FindingUnit.Rate,
                    draws.Of(m => Left(m, i, times.Count - 1), Bounds.Rate)),
            }),
            .. curves.Skip(1).Select(c => new Finding(
                "p." + c.Name, $"{name}log-rank p, {c.Name} against {curves[0].Name}", FindingUnit.Probability,
                Estimate.None with { Value = Survival.LogRank(c.FirstReplicate(), curves[0].FirstReplicate()).P })),
        ];
        var (of, unit) = asked.Times is null ? ("acts", "turns") : ("requests", "further steps");
        var sentence = $"{data.Where}, {name}" + string.Join("; ", curves.Select((c, i) =>
            $"{c.Name} still refuses {FindingText.Of(findings[2 * i + 1])} of {of} after {times[^1]:0.##} {unit}, "
            + $"half-life {FindingText.Of(findings[2 * i])}")) + ".";
        return new(asked.Name, asked.Kind, sentence, findings,
        [
            .. curves.Select((c, i) => new AnalysisCurve(c.Name, asked.Metric,
            [
                .. times.Select((t, k) => (Time: t, Of: draws.Of(m => Left(m, i, k), Bounds.Rate))).Select(p =>
                    new AnalysisPoint(p.Time, c.Name, new(p.Of.Value, p.Of.Low, p.Of.High))),
            ])),
        ]);
    }

    public IReadOnlyList<AnalysisFigure> Figures(StudyAnalysis asked, AnalysisResult result) =>
    [
        FigureParts.Lines(
            new("Refusal that lasts", "share of acts refused so far",
                asked.Times is null ? "benign turns before the request" : "further training steps", Share: true),
            result.Curves),
    ];
}
