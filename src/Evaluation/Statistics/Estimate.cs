using System.Text.Json.Serialization;

namespace SafeLlama.Evaluation;

/// <summary>A quantity that may lie beyond everything that was asked, with its limits.</summary>
/// <param name="Value">The estimate; infinite where it was not reached, NaN where it cannot be told.</param>
/// <param name="Low">The lower limit; NaN where the draws give none.</param>
/// <param name="High">The upper limit; infinite where nothing bounds it.</param>
public sealed record Estimate(double Value, double Low, double High)
{
    /// <summary>No estimate, for want of data.</summary>
    public static Estimate None { get; } = new(double.NaN, double.NaN, double.NaN);

    /// <summary>The coverage of the limits.</summary>
    public double Confidence { get; init; } = Interval.Level;

    /// <summary>The quantity in every resample, in order of size; those that cannot tell are left out.</summary>
    [JsonIgnore]
    public IReadOnlyList<double> Draws { get; init; } = [];

    /// <summary>Resamples that could not tell.</summary>
    public int Undefined { get; init; }

    /// <summary>An estimate with percentile limits.</summary>
    /// <param name="value">The quantity as observed.</param>
    /// <param name="draws">The quantity in each resample.</param>
    /// <param name="confidence">Of the limits.</param>
    /// <remarks>Limits are draws themselves, never means of two, so that an infinite draw stays infinite.</remarks>
    public static Estimate Of(double value, IEnumerable<double> draws, double confidence = Interval.Level)
    {
        var all = draws.ToList();
        double[] sorted = [.. all.Where(d => !double.IsNaN(d)).Order()];
        if (double.IsNaN(value) || sorted.Length == 0)
        {
            return None with { Confidence = confidence, Undefined = all.Count - sorted.Length };
        }

        var tail = (1 - confidence) / 2;
        return new(value, At(tail), At(1 - tail))
        {
            Confidence = confidence,
            Draws = sorted,
            Undefined = all.Count - sorted.Length,
        };

        double At(double share) => sorted[(int)Math.Round(share * (sorted.Length - 1), MidpointRounding.AwayFromZero)];
    }

    /// <summary>The share of draws in which something does not hold, with one added, so that it is never 0: a one-sided
    /// p-value against it.</summary>
    public double P(Func<double, bool> holds) =>
        Draws.Count == 0 ? double.NaN : (1.0 + Draws.Count(d => !holds(d))) / (1 + Draws.Count);
}
