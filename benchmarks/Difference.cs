using SafeLlama.Common;

namespace SafeLlama.Benchmarks;

/// <summary>How one quantity changed between two measurements, in relation to how much each strays.</summary>
/// <param name="Ratio">Median after over median before.</param>
/// <param name="Low">Lower end of its 95% interval.</param>
/// <param name="High">Upper end.</param>
internal readonly record struct Difference(double Ratio, double Low, double High)
{
    /// <summary>Fewer values than this say nothing about how they stray.</summary>
    public const int Fewest = 5;

    private const int Resamples = 10_000;

    public string Verdict => double.IsNaN(Low) ? $"fewer than {Fewest} values" : High < 1 ? "faster"
        : Low > 1 ? "slower" : "noise";

    /// <summary>
    /// Percentile bootstrap (Efron and Tibshirani 1993, section 13.3) of the ratio of medians, the two sides drawn
    /// apart.
    /// </summary>
    /// <param name="before">Seconds.</param>
    /// <param name="after">Seconds.</param>
    /// <returns>With an interval of NaN where one side has fewer than <see cref="Fewest"/> values.</returns>
    public static Difference Of(Sample before, Sample after)
    {
        var ratio = after.Median / before.Median;
        if (Math.Min(before.Count, after.Count) < Fewest)
        {
            return new(ratio, double.NaN, double.NaN);
        }

        var (first, second) = (Philox.Stream(1, "before"), Philox.Stream(1, "after"));
        var ratios = new double[Resamples];
        for (var i = 0; i < Resamples; i++)
        {
            ratios[i] = Drawn(after, second, i) / Drawn(before, first, i);
        }

        Array.Sort(ratios);
        return new(ratio, ratios[Resamples / 40], ratios[^((Resamples / 40) + 1)]);
    }

    private static double Drawn(Sample sample, Philox stream, int resample)
    {
        var drawn = new double[sample.Count];
        for (var i = 0; i < drawn.Length; i++)
        {
            drawn[i] = sample.Values[stream.Below(((long)resample * drawn.Length) + i, drawn.Length)];
        }

        return Sample.MedianOf(drawn);
    }
}
