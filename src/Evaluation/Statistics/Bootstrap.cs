using MathNet.Numerics.Distributions;
using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>A number computed from a resample, given as indices into the original rows.</summary>
public delegate double ResampleStatistic(ReadOnlySpan<int> rows);

/// <summary>Bootstrap intervals: the spread of a statistic over samples drawn again from the sample.</summary>
/// <remarks>
/// Efron 1979, "Bootstrap methods: another look at the jackknife", and Efron 1987, "Better bootstrap confidence
/// intervals", JASA 82. Draw b takes its rows from the blocks of its own counter-based stream, four at a time: the same
/// seed gives the same interval everywhere.
/// </remarks>
public static class Bootstrap
{
    public const int Draws = 10_000;

    /// <summary>The interval for a mean, bias-corrected and accelerated.</summary>
    /// <param name="values">One per independent unit.</param>
    /// <param name="bounds">The range that a value cannot leave; null where there is none.</param>
    public static Interval Mean(
        IReadOnlyList<double> values, long seed = 0, double confidence = 0.95, Bounds? bounds = null) =>
        BiasCorrected(
            values.Count, rows => MeanOf(values, rows), seed, confidence,
            constant: value => NoVariation.Around(value, values.Count, bounds, confidence));

    /// <summary>The interval between the α/2 and 1 − α/2 quantiles of the draws.</summary>
    /// <param name="constant">The interval around a value that resampling does not move; without it the limits are
    /// open.</param>
    public static Interval Percentile(
        int n, ResampleStatistic statistic, long seed = 0, double confidence = 0.95, int draws = Draws,
        Func<double, Interval>? constant = null)
    {
        if (n == 0)
        {
            return Interval.None;
        }

        var sorted = Resample(n, statistic, seed, draws);
        var tail = (1 - confidence) / 2;
        return Between(statistic(All(n)), Quantile(sorted, tail), Quantile(sorted, 1 - tail), "percentile bootstrap",
            constant);
    }

    /// <summary>
    /// The percentile interval corrected for bias (z₀) and for a spread that changes with the value (a): BCa.
    /// </summary>
    /// <param name="constant">The interval around a value that resampling does not move; without it the limits are
    /// open.</param>
    public static Interval BiasCorrected(
        int n, ResampleStatistic statistic, long seed = 0, double confidence = 0.95, int draws = Draws,
        Func<double, Interval>? constant = null)
    {
        if (n == 0)
        {
            return Interval.None;
        }

        var value = statistic(All(n));
        var sorted = Resample(n, statistic, seed, draws);
        if (n == 1 || sorted.Length == 0 || sorted[0] == sorted[^1])
        {
            return Between(value, value, value, "", constant);
        }

        // Ties at the estimate count half, or a discrete statistic would look biased.
        var below = sorted.Count(x => x < value) + 0.5 * sorted.Count(x => x == value);
        var share = Math.Clamp(below / sorted.Length, 0.5 / sorted.Length, 1 - 0.5 / sorted.Length);
        var z0 = Normal.InvCDF(0, 1, share);
        var a = Acceleration(n, statistic);
        var z = Normal.InvCDF(0, 1, 0.5 + confidence / 2);
        return Between(
            value, Quantile(sorted, Level(z0, a, -z)), Quantile(sorted, Level(z0, a, z)), "BCa bootstrap", constant);
    }

    /// <summary>Limits that coincide are replaced, since resampling shows no variation there.</summary>
    /// <remarks>A width of 10⁻¹² is the rounding of equal sums.</remarks>
    private static Interval Between(
        double value, double low, double high, string method, Func<double, Interval>? constant) =>
        double.IsNaN(value) ? Interval.None
        : high - low > 1e-12 * Math.Max(1, Math.Abs(value)) ? new(value, low, high) { Method = method }
        : constant?.Invoke(value) ?? NoVariation.Around(value, 1, null);

    /// <summary>
    /// The acceleration a, from the jackknife: Σ d³ / 6(Σ d²)^{3/2}, d the mean of the n values less each.
    /// </summary>
    public static double Acceleration(int n, ResampleStatistic statistic)
    {
        var without = new double[n];
        var rows = new int[n - 1];
        for (var left = 0; left < n; left++)
        {
            for (var i = 0; i < n - 1; i++)
            {
                rows[i] = i < left ? i : i + 1;
            }

            without[left] = statistic(rows);
        }

        var mean = without.Average();
        var squares = without.Sum(x => (mean - x) * (mean - x));
        var cubes = without.Sum(x => (mean - x) * (mean - x) * (mean - x));
        return squares > 0 ? cubes / (6 * Math.Pow(squares, 1.5)) : 0;
    }

    /// <summary>The quantile at level p of sorted values, interpolated between neighbors.</summary>
    public static double Quantile(IReadOnlyList<double> sorted, double p)
    {
        if (sorted.Count == 0)
        {
            return double.NaN;
        }

        var place = Math.Clamp(p, 0, 1) * (sorted.Count - 1);
        var lower = (int)place;
        var upper = Math.Min(lower + 1, sorted.Count - 1);
        return sorted[lower] + (place - lower) * (sorted[upper] - sorted[lower]);
    }

    /// <summary>The statistic of every draw, sorted; draws on which it is not a number are left out.</summary>
    internal static double[] Resample(int n, ResampleStatistic statistic, long seed, int draws)
    {
        var stream = Philox.Stream(seed, "bootstrap");
        var values = new double[draws];
        Parallel.For(0, draws, () => new int[n], (draw, _, rows) =>
        {
            Draw(stream.Fork(draw), rows);
            values[draw] = statistic(rows);
            return rows;
        }, _ => { });
        return [.. values.Where(x => !double.IsNaN(x)).Order()];
    }

    /// <summary>
    /// Fills <paramref name="rows"/> with whole numbers in [0, n), each from 32 bits scaled (bias below n / 2³²).
    /// </summary>
    private static void Draw(Philox stream, int[] rows)
    {
        var n = (ulong)rows.Length;
        for (var i = 0; i < rows.Length; i += 4)
        {
            var (a, b, c, d) = stream.Block((ulong)i);
            ReadOnlySpan<int> four = [(int)(a * n >> 32), (int)(b * n >> 32), (int)(c * n >> 32), (int)(d * n >> 32)];
            four[..Math.Min(4, rows.Length - i)].CopyTo(rows.AsSpan(i));
        }
    }

    private static double Level(double z0, double a, double z) =>
        Normal.CDF(0, 1, z0 + (z0 + z) / (1 - a * (z0 + z)));

    private static double MeanOf(IReadOnlyList<double> values, ReadOnlySpan<int> rows)
    {
        var sum = 0.0;
        foreach (var row in rows)
        {
            sum += values[row];
        }

        return sum / rows.Length;
    }

    private static int[] All(int n) => [.. Enumerable.Range(0, n)];
}
