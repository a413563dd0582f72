namespace SafeLlama.Evaluation;

/// <summary>The dose at which a rate falls to a level, from a curve without a formula.</summary>
/// <remarks>
/// The rate is fitted by a curve that never rises (<see cref="Isotonic"/>), and read between two doses along
/// log(1 + dose), on which doses of 0, 30, 90, 300 are about evenly spread.
/// </remarks>
public static class DoseResponse
{
    /// <summary>The curve that never rises closest to the rates.</summary>
    public static double[] NeverRising(IReadOnlyList<double> rates) =>
        [.. Isotonic.Fit([.. rates.Select(r => -r)], [.. rates.Select(_ => 1.0)]).Select(r => -r)];

    /// <summary>The smallest dose at which the fitted rate is <paramref name="level"/>; 0 where it is there without
    /// any, infinite where no dose reaches it, NaN where a rate is none or the smallest dose is enough
    /// already.</summary>
    /// <param name="doses">Rising.</param>
    /// <param name="rates">The rate at each dose.</param>
    /// <param name="level">0.05 for 5%.</param>
    public static double DoseAt(IReadOnlyList<double> doses, IReadOnlyList<double> rates, double level)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(rates.Count, doses.Count);
        if (rates.Any(double.IsNaN))
        {
            return double.NaN;
        }

        var fitted = NeverRising(rates);
        var first = Array.FindIndex(fitted, r => r <= level);
        if (first <= 0)
        {
            return first < 0 ? double.PositiveInfinity : doses[0] == 0 ? 0 : double.NaN;
        }

        var (below, above) = (Math.Log(1 + doses[first - 1]), Math.Log(1 + doses[first]));
        var along = (fitted[first - 1] - level) / (fitted[first - 1] - fitted[first]);
        return Math.Exp(below + (above - below) * along) - 1;
    }

    /// <summary>The dose between two others that halves their distance along log(1 + dose); null where no whole dose
    /// lies between.</summary>
    public static int? Between(int below, int above)
    {
        var middle = (int)Math.Round(Math.Sqrt((1.0 + below) * (1 + above)) - 1, MidpointRounding.AwayFromZero);
        return middle > below && middle < above ? middle : above - below > 1 ? below + 1 : null;
    }
}
