using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>Intervals for scores that are crossed: the same prompts, asked of several replicates.</summary>
/// <remarks>
/// Prompts vary, and so do base models and tuning seeds; an interval that redraws only one of the three is too narrow.
/// Each draw takes prompts (in whole clusters), bases and seeds anew, independently, and weights every score by all
/// three: a seed draws the same rows on every base, so the two are crossed too. Owen 2007, "The pigeonhole bootstrap",
/// Annals of Applied Statistics 1. With one base and one seed it is the cluster bootstrap.
/// </remarks>
public static class CrossedBootstrap
{
    /// <summary>Number of draws: the limits move by less than half a point from one seed to the next.</summary>
    public const int Draws = 2000;

    /// <summary>The mean score with its 95% percentile limits.</summary>
    /// <param name="scores">One row per prompt, each with one value per replicate.</param>
    /// <param name="seed">Draws the resamples.</param>
    public static Interval Mean(IReadOnlyList<CrossedScores> scores, long seed = 0)
    {
        if (scores.Count == 0)
        {
            return Interval.None;
        }

        var table = Table.Of(scores);
        var mean = table.Mean();
        if (table.IsConstant)
        {
            // Without variation, as for 0 of n or n of n, Wilson's interval takes over.
            return Wilson.Share(Math.Clamp(mean, 0, 1), table.Clusters);
        }

        return Limits(mean, seed, (draws, picked) => table.Mean(draws.Weights(table.Clusters, 0), picked), table, 0.95,
            seen => Wilson.Share(Math.Clamp(seen, 0, 1), table.Clusters));
    }

    /// <summary>The mean of <paramref name="first"/> less that of <paramref name="second"/>, replicates taken
    /// together.</summary>
    /// <param name="first">One row per prompt.</param>
    /// <param name="second">The same prompts (<paramref name="paired"/>) or others, in the same replicates.</param>
    /// <param name="paired">The prompts are the same, so both sides are redrawn together.</param>
    /// <param name="seed">Draws the resamples.</param>
    /// <param name="confidence">Of the limits.</param>
    public static Interval Difference(
        IReadOnlyList<CrossedScores> first, IReadOnlyList<CrossedScores> second, bool paired, long seed = 0,
        double confidence = 0.95)
    {
        if (first.Count == 0 || second.Count == 0)
        {
            return Interval.None;
        }

        var (a, b) = (Table.Of(first), Table.Of(second));
        var difference = a.Mean() - b.Mean();
        if (a.IsConstant && b.IsConstant)
        {
            var doubt = Wilson.Rate(0, Math.Min(a.Clusters, b.Clusters)).High;
            return new(difference, Math.Max(-1, difference - doubt), Math.Min(1, difference + doubt));
        }

        return Limits(
            difference,
            seed,
            (draws, picked) => a.Mean(draws.Weights(a.Clusters, 0), picked)
                - b.Mean(draws.Weights(b.Clusters, paired ? 0 : 1), picked),
            a,
            confidence,
            seen => NoVariation.Around(seen, Math.Min(a.Clusters, b.Clusters), Bounds.Difference, confidence));
    }

    private static Interval Limits(
        double value, long seed, Func<Resample, int[], double> statistic, Table table, double confidence,
        Func<double, Interval> constant)
    {
        var sorted = new double[Draws];
        for (var draw = 0; draw < Draws; draw++)
        {
            var resample = new Resample(Philox.Stream(seed, "crossed-bootstrap", draw));
            sorted[draw] = statistic(resample, resample.Replicates(table.Models, table.Replicates / table.Models));
        }

        sorted = [.. sorted.Where(double.IsFinite).Order()];
        var tail = (1 - confidence) / 2;
        var (low, high) = (Bootstrap.Quantile(sorted, tail), Bootstrap.Quantile(sorted, 1 - tail));
        return high - low > 1e-12 ? new(value, low, high) : constant(value);
    }

    /// <summary>The draws of one resample: side 0 and 1 for prompts, 2 for base models, 3 for tuning seeds.</summary>
    private readonly struct Resample(Philox stream)
    {
        /// <summary>Every replicate's weight: how often its model was drawn, times how often its seed was.</summary>
        public int[] Replicates(int models, int seeds)
        {
            var (byModel, bySeed) = (Weights(models, 2), Weights(seeds, 3));
            return [.. byModel.SelectMany(_ => bySeed, (model, ofSeed) => model * ofSeed)];
        }

        /// <summary>How often each of n items was drawn in n draws with replacement.</summary>
        public int[] Weights(int n, int side)
        {
            var weights = new int[n];
            var fork = stream.Fork(side);
            for (var i = 0; i < n; i++)
            {
                weights[fork.Below(i, n)]++;
            }

            return weights;
        }
    }

    /// <summary>Sums of scores by cluster and replicate, and their number; an invalid answer has no score.</summary>
    private sealed record Table(double[][] Sums, int[][] Counts, int Replicates, int Models, bool IsConstant)
    {
        public int Clusters => Counts.Length;

        public static Table Of(IReadOnlyList<CrossedScores> scores)
        {
            var replicates = scores[0].Values.Count;
            var models = scores[0].Models;
            if (replicates % models != 0 || scores.Any(s => s.Values.Count != replicates || s.Models != models))
            {
                throw new ArgumentException("every prompt needs one score per model and seed", nameof(scores));
            }

            var groups = scores.GroupBy(s => s.Cluster, (_, rows) => rows.ToList()).ToList();
            T[][] Cells<T>(Func<IEnumerable<double>, T> cell) =>
            [
                .. groups.Select(g => Enumerable.Range(0, replicates)
                    .Select(r => cell(g.Select(s => s.Values[r]).Where(double.IsFinite))).ToArray()),
            ];
            return new(
                Cells(values => values.Sum()), Cells(values => values.Count()), replicates, models,
                scores.SelectMany(s => s.Values).Where(double.IsFinite).Distinct().Count() < 2);
        }

        public double Mean() => Mean([.. Enumerable.Repeat(1, Clusters)], [.. Enumerable.Repeat(1, Replicates)]);

        public double Mean(int[] clusterWeights, int[] replicateWeights)
        {
            double sum = 0, count = 0;
            for (var c = 0; c < Clusters; c++)
            {
                if (clusterWeights[c] == 0)
                {
                    continue;
                }

                for (var r = 0; r < Replicates; r++)
                {
                    var weight = (double)clusterWeights[c] * replicateWeights[r];
                    sum += weight * Sums[c][r];
                    count += weight * Counts[c][r];
                }
            }

            return sum / count;
        }
    }
}
