namespace SafeLlama.Kernels;

/// <summary>One thing that was tried on a device, the figure seen, and what would still be right.</summary>
/// <param name="Name">What was tried.</param>
/// <param name="Seen">The largest error, relative to the largest number expected.</param>
/// <param name="Tolerance">What rounding alone explains.</param>
/// <param name="Reason">Where the tolerance comes from.</param>
public sealed record HealthCheck(string Name, double Seen, double Tolerance, string Reason)
{
    /// <summary>NaN does not pass.</summary>
    public bool Passed => Seen <= Tolerance;

    /// <summary>
    /// The largest difference of two results, relative to the largest number expected; infinite where one is not
    /// finite.
    /// </summary>
    public static double Error(IReadOnlyList<double> found, IReadOnlyList<double> expected)
    {
        var (error, scale) = (0.0, 1e-6);
        for (var i = 0; i < expected.Count; i++)
        {
            var difference = Math.Abs(found[i] - expected[i]);
            error = double.IsFinite(difference) ? Math.Max(error, difference) : double.PositiveInfinity;
            scale = Math.Max(scale, Math.Abs(expected[i]));
        }

        return error / scale;
    }
}
