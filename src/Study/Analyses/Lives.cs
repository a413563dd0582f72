using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>One curve of survival: for each act and replicate, when it was first served.</summary>
/// <param name="Name">The arm or the series.</param>
/// <param name="Times">Turns or steps, rising.</param>
/// <param name="Acts">By act: [replicate][time] the score, NaN for an invalid answer.</param>
/// <param name="Models">How many bases the replicates are of.</param>
internal sealed record Lives(
    string Name, IReadOnlyList<double> Times, IReadOnlyDictionary<string, double[][]> Acts, int Models)
{
    public static IReadOnlyList<Lives> Of(StudyAnalysis asked, AnalysisData data)
    {
        if (asked.Times is { } times)
        {
            return
            [
                .. asked.Series.Select(s => (s.Name, Arms: data.Arms(s))).Where(s => s.Arms.Count == times.Count)
                    .Select(s => From(s.Name, times, [.. s.Arms.Select(a => data.Scores(a, asked.Metric))])),
            ];
        }

        return
        [
            .. asked.Series.SelectMany(data.Arms).DistinctBy(a => a.Name).Select(a =>
            {
                var places = DistanceAnalysis.Places(data.Scores(a, asked.Metric));
                return From(
                    a.Name, [.. places.Select(p => (double)p.Number)],
                    [.. places.Select(p => data.Scores(a, asked.Metric, p.Category))]);
            }),
        ];
    }

    /// <summary>One cell per time, whose mean is the hazard: 1 where an act is first served then, 0 where it is still
    /// refused, NaN where it no longer counts.</summary>
    public IEnumerable<IReadOnlyList<CrossedScores>> Cells() => Times.Select((_, t) => (IReadOnlyList<CrossedScores>)
        [.. Acts.Select(a => new CrossedScores(a.Key, [.. a.Value.Select(scores => Hazard(scores, t))], Models))]);

    /// <summary>Each act of the first base and seed. Time 0 counts as the first turn.</summary>
    public IReadOnlyList<Survival.Observation> FirstReplicate() => [.. Acts.Values.Select(a => Observed(a[0]))];

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

    private static Lives From(string name, IReadOnlyList<double> times, IReadOnlyList<PromptScores>[] byTime)
    {
        // Wordings of one act are told apart by their place among them.
        var tables = byTime.Select(scores => scores.GroupBy(s => s.Prompt.Cluster)
            .SelectMany(g => g.OrderBy(s => s.Prompt.Id, StringComparer.Ordinal)
                .Select((s, i) => (Key: $"{g.Key}\t{i}", s.Values)))
            .ToDictionary(s => s.Key, s => s.Values)).ToList();
        var acts = tables.Count == 0 ? [] : tables[0].Keys.Where(k => tables.All(t => t.ContainsKey(k))).ToList();
        return new(
            name, times, acts.ToDictionary(
                act => act, act => Enumerable.Range(0, tables[0][act].Count)
                    .Select(r => tables.Select(t => t[act][r]).ToArray()).ToArray()),
            byTime.Where(t => t.Count > 0).Select(t => t[0].Models).DefaultIfEmpty(1).First());
    }
}
