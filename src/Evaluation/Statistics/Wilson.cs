using MathNet.Numerics.Distributions;

namespace SafeLlama.Evaluation;

/// <summary>The score interval for a rate. It has some width even at 0 and at n, and stays within [0, 1].</summary>
/// <remarks>
/// <code>center = (p + z²/2n) / (1 + z²/n)      half = z/(1 + z²/n) · sqrt(p(1 − p)/n + z²/4n²)</code>
/// Wilson 1927, "Probable inference, the law of succession, and statistical inference", JASA 22.
/// </remarks>
public static class Wilson
{
    public const string Method = "Wilson";

    /// <param name="count">How many of the n had the property.</param>
    /// <param name="n">How many were observed; 0 gives <see cref="Interval.None"/>.</param>
    /// <param name="confidence">The coverage, 0.95 for 95%.</param>
    public static Interval Rate(long count, long n, double confidence = 0.95)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, n);
        return n == 0 ? Interval.None : Share((double)count / n, n, confidence);
    }

    /// <summary>The interval for a share that was observed on n independent units, whole or not.</summary>
    /// <param name="p">The share, or a mean of values in [0, 1], whose variance is p(1 − p) at most.</param>
    /// <param name="n">Independent units, above 0: the effective n where rows of one cluster are alike.</param>
    public static Interval Share(double p, double n, double confidence = 0.95)
    {
        var z = Normal.InvCDF(0, 1, 0.5 + confidence / 2);
        var scale = 1 + z * z / n;
        var center = (p + z * z / (2 * n)) / scale;
        var half = z / scale * Math.Sqrt(p * (1 - p) / n + z * z / (4.0 * n * n));
        return new(p, p == 0 ? 0 : center - half, p == 1 ? 1 : center + half) { Method = Method };
    }
}
