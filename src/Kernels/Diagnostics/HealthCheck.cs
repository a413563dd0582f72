namespace SafeLlama.Kernels;

/// <summary>One check of a device: the error that was measured and the error that is allowed.</summary>
/// <param name="Name">The name of the check.</param>
/// <param name="Seen">The largest error, relative to the largest number expected.</param>
/// <param name="Tolerance">The largest error that rounding explains.</param>
/// <param name="Reason">The reason of the tolerance.</param>
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
