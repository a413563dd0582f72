using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>One curve of survival: for each act and replicate, when it was first served.</summary>
/// <param name="Name">The arm or the series.</param>
/// <param name="Times">Turns or steps, rising.</param>
/// <param name="Acts">By act or prompt: its cluster, and [replicate][time] the score, NaN for an invalid
/// answer.</param>
/// <param name="Models">How many bases the replicates are of.</param>
internal sealed record Lives(
    string Name,
    IReadOnlyList<double> Times,
    IReadOnlyDictionary<string, (string Cluster, double[][] Scores)> Acts,
    int Models)
{
    public static IReadOnlyList<Lives> Of(StudyAnalysis asked, AnalysisData data)
    {
        if (asked.Times is { } times)
        {
            return
            [
                .. asked.Series.Select(s => (s.Name, Arms: data.Arms(s))).Where(s => s.Arms.Count == times.Count)
                    .Select(s => From(s.Name, times, [.. s.Arms.Select(a => data.Scores(a, asked.Metric))], p => p.Id)),
            ];
        }

        var arms = asked.Series.SelectMany(data.Arms).DistinctBy(a => a.Name).ToList();
        var places = DistanceAnalysis.Places(arms.SelectMany(a => data.Scores(a, asked.Metric)));
        return
        [
            .. arms.Select(a => From(
                a.Name, [.. places.Select(p => (double)p.Number)],
                [.. places.Select(p => data.Scores(a, asked.Metric, p.Category))], p => p.Act ?? p.Cluster)),
        ];
    }

    /// <summary>One cell per time, whose mean is the hazard: 1 where an act is first served then, 0 where it is still
    /// refused, NaN where it no longer counts.</summary>
    public IEnumerable<IReadOnlyList<CrossedScores>> Cells() => Times.Select((_, t) => (IReadOnlyList<CrossedScores>)
        [.. Acts.Select(a => new CrossedScores(
            a.Value.Cluster, [.. a.Value.Scores.Select(scores => Hazard(scores, t))], Models))]);

    /// <summary>Each act of the first base and seed. Time 0 counts as the first turn.</summary>
    public IReadOnlyList<Survival.Observation> FirstReplicate() => [.. Acts.Values.Select(a => Observed(a.Scores[0]))];

    private static Survival.Observation Observed(double[] scores)
    {
        var served = Array.FindIndex(scores, s => s == 1);
        var hidden = Array.FindIndex(scores, double.IsNaN);
        return served >= 0 && (hidden < 0 || served < hidden) ? new(served + 1, true)
            : new(hidden < 0 ? scores.Length : hidden, false);
    }

    private static double Hazard(double[] scores, int time)
    {
        var observed = Observed(scores);
        return observed.Turn < time + 1 ? double.NaN : observed.Violated && observed.Turn == time + 1 ? 1 : 0;
    }

    /// <summary>A prompt that no replicate answered at some time is hidden there, and its act stays.</summary>
    private static Lives From(
        string name, IReadOnlyList<double> times, IReadOnlyList<PromptScores>[] byTime,
        Func<StudyPrompt, string> act)
    {
        var first = byTime.SelectMany(t => t).FirstOrDefault();
        var replicates = first?.Values.Count ?? 1;
        var tables = byTime.Select(scores => scores.GroupBy(s => act(s.Prompt))
            .ToDictionary(g => g.Key, g => g.First().Values)).ToList();
        double Score(string key, int replicate, int time) =>
            tables[time].TryGetValue(key, out var values) ? values[replicate] : double.NaN;
        return new(
            name, times,
            byTime.SelectMany(t => t).GroupBy(s => act(s.Prompt)).ToDictionary(
                g => g.Key, g => (g.First().Prompt.Cluster, Enumerable.Range(0, replicates)
                    .Select(r => Enumerable.Range(0, tables.Count).Select(t => Score(g.Key, r, t)).ToArray())
                    .ToArray())),
            first?.Models ?? 1);
    }
}
