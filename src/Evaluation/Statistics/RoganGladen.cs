namespace SafeLlama.Evaluation;

/// <summary>Corrects a rate that an imperfect judge measured for the judge's errors.</summary>
/// <remarks>
/// <code>p = (p_obs + Sp − 1)/(Se + Sp − 1)</code>
/// Rogan and Gladen 1978, "Estimating prevalence from the results of a screening test", American Journal of
/// Epidemiology 107. The limits recover variances from Wilson's limits of the observed rate, the sensitivity and the
/// specificity, each moved alone toward the limit in question (Zou and Donner 2008, Statistics in Medicine 27), so a
/// count of 0, or a judge without an error on its card, still gives an interval of some width.
/// </remarks>
public static class RoganGladen
{
    public const string Method = "Rogan–Gladen, variances recovered from Wilson's limits";

    public const string Beyond = "limits of the observed rate: the correction leaves [0, 1]";

    /// <summary>The smallest Se + Sp − 1 of a judge that allows a correction.</summary>
    public const double LeastInformedness = 0.1;

    /// <param name="observed">How many of <paramref name="n"/> the judge called positive.</param>
    /// <param name="sensitivity">Judged positive among <paramref name="positives"/> true positives.</param>
    /// <param name="specificity">Judged negative among <paramref name="negatives"/> true negatives.</param>
    /// <returns>The clipped rate and its interval; null where the judge is close to guessing.</returns>
    public static Interval? Correct(
        long observed, long n, double sensitivity, long positives, double specificity, long negatives,
        double confidence = 0.95) =>
        n == 0
            ? null
            : Correct(
                Wilson.Rate(observed, n, confidence), sensitivity, positives, specificity, negatives, confidence);

    /// <param name="seen">The rate that the judge saw, with its limits: those of whole clusters where answers repeat a
    /// prompt.</param>
    /// <inheritdoc cref="Correct(long, long, double, long, double, long, double)"/>
    public static Interval? Correct(
        Interval seen, double sensitivity, long positives, double specificity, long negatives, double confidence = 0.95)
    {
        var informed = sensitivity + specificity - 1;
        if (seen.IsNone || positives == 0 || negatives == 0 || !(informed >= LeastInformedness))
        {
            return null;
        }

        var se = Wilson.Share(sensitivity, positives, confidence);
        var sp = Wilson.Share(specificity, negatives, confidence);
        var rate = (seen.Value + specificity - 1) / informed;

        // The derivatives of p: 1/J by the observed rate, −p/J by Se, (1 − p)/J by Sp.
        double Reach(bool down)
        {
            double Toward(Interval part, double derivative) => derivative
                * ((derivative > 0) == down ? part.Value - part.Low : part.High - part.Value);
            return Math.Sqrt(Square(Toward(seen, 1)) + Square(Toward(se, -rate)) + Square(Toward(sp, 1 - rate)))
                / informed;
        }

        var value = Math.Clamp(rate, 0, 1);
        var low = Math.Clamp(rate - Reach(down: true), 0, 1);
        var high = Math.Clamp(rate + Reach(down: false), 0, 1);
        return low < high
            ? new(value, low, high) { Method = Method }
            : new(value, value == 0 ? 0 : seen.Low, value == 1 ? 1 : seen.High) { Method = Beyond };
    }

    private static double Square(double x) => x * x;
}
