using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>
/// Resamples of many cells at once (arms × metrics), for a quantity that is computed from all their means.
/// </summary>
/// <remarks>
/// A draw takes prompts (in whole clusters), base models and tuning seeds anew, as <see cref="CrossedBootstrap"/> does.
/// Cells of one stratum hold the same prompts and are redrawn together; so are bases and seeds in all cells.
/// </remarks>
public sealed class CrossedDraws
{
    private readonly double[][] _draws;
    private readonly int _clusters;

    /// <param name="cells">One list of scores per cell; all have the same replicates.</param>
    /// <param name="strata">The stratum of each cell, often the metric's name.</param>
    /// <param name="seed">Draws the resamples.</param>
    /// <param name="count">How many draws.</param>
    public CrossedDraws(
        IReadOnlyList<IReadOnlyList<CrossedScores>> cells, IReadOnlyList<string> strata, long seed = 0,
        int count = CrossedBootstrap.Draws)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(strata.Count, cells.Count);
        var layouts = cells.Where(c => c.Count > 0).Select(c => (c[0].Values.Count, c[0].Models)).Distinct().ToList();
        if (layouts.Count > 1)
        {
            throw new ArgumentException("every cell needs the same models and seeds", nameof(cells));
        }

        var (replicates, models) = layouts.Count == 0 ? (1, 1) : layouts[0];
        var numbers = strata.Distinct().ToDictionary(s => s, _ => new Dictionary<string, int>());
        var tables = cells.Select((scores, i) => new Cell(strata[i], scores, replicates, numbers[strata[i]])).ToList();
        var all = Enumerable.Repeat(1, replicates).ToArray();
        Means = [.. tables.Select(t => t.Mean([.. Enumerable.Repeat(1, numbers[t.Stratum].Count)], all))];
        _clusters = numbers.Values.Select(n => n.Count).Where(n => n > 0).DefaultIfEmpty(0).Min();
        _draws = new double[count][];
        for (var draw = 0; draw < count; draw++)
        {
            var stream = Philox.Stream(seed, "crossed-draws", draw);
            var (byModel, bySeed) = (Weights(stream, 0, models), Weights(stream, 1, replicates / models));
            int[] picked = [.. byModel.SelectMany(_ => bySeed, (model, ofSeed) => model * ofSeed)];
            var clusters = numbers.Select((s, i) => (s.Key, Weights(stream, 2 + i, s.Value.Count))).ToDictionary();
            _draws[draw] = [.. tables.Select(t => t.Mean(clusters[t.Stratum], picked))];
        }
    }

    /// <summary>The mean of each cell, as observed; NaN for a cell without scores.</summary>
    public IReadOnlyList<double> Means { get; }

    /// <summary>A quantity of the cells' means with its percentile limits.</summary>
    /// <param name="quantity">Computed from the means of all cells; infinite where it lies beyond what was asked,
    /// NaN where a draw cannot tell.</param>
    /// <param name="confidence">Of the limits.</param>
    /// <param name="range">What it cannot leave, for a rate or a difference of rates: where no draw varies, its limits
    /// are those of as many equal observations as there are clusters. Without it such limits are NaN.</param>
    public Estimate Of(
        Func<IReadOnlyList<double>, double> quantity, Bounds? range = null, double confidence = Interval.Level)
    {
        var estimate = Estimate.Of(quantity(Means), _draws.Select(means => quantity(means)), confidence);
        if (double.IsInfinity(estimate.Low) || estimate.High - estimate.Low > 1e-12 || double.IsNaN(estimate.Low))
        {
            return estimate;
        }

        var around = range is { } bounds
            ? NoVariation.Around(estimate.Value, _clusters, bounds, confidence) : Interval.None;
        return estimate with { Low = around.Low, High = around.High, Draws = [] };
    }

    private static int[] Weights(Philox stream, int side, int n)
    {
        var weights = new int[n];
        var fork = stream.Fork(side);
        for (var i = 0; i < n; i++)
        {
            weights[fork.Below(i, n)]++;
        }

        return weights;
    }

    /// <summary>Sums of scores by cluster and replicate, and their number.</summary>
    private sealed class Cell
    {
        private readonly (int Cluster, double[] Sums, int[] Counts)[] _rows;

        public Cell(
            string stratum, IReadOnlyList<CrossedScores> scores, int replicates, Dictionary<string, int> numbers)
        {
            Stratum = stratum;
            _rows =
            [
                .. scores.GroupBy(s => s.Cluster).Select(g =>
                {
                    if (!numbers.TryGetValue(g.Key, out var number))
                    {
                        numbers[g.Key] = number = numbers.Count;
                    }

                    var finite = Enumerable.Range(0, replicates)
                        .Select(r => g.Select(s => s.Values[r]).Where(double.IsFinite).ToList()).ToList();
                    return (number, finite.Select(v => v.Sum()).ToArray(), finite.Select(v => v.Count).ToArray());
                }),
            ];
        }

        public string Stratum { get; }

        public double Mean(int[] clusters, int[] replicates)
        {
            double sum = 0, count = 0;
            foreach (var (cluster, sums, counts) in _rows)
            {
                var weight = clusters[cluster];
                for (var r = 0; weight > 0 && r < replicates.Length; r++)
                {
                    sum += (double)weight * replicates[r] * sums[r];
                    count += (double)weight * replicates[r] * counts[r];
                }
            }

            return sum / count;
        }
    }
}
