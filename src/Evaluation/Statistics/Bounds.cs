using System.Globalization;

namespace SafeLlama.Evaluation;

/// <summary>The range that a quantity cannot leave: [0, 1] for a rate, [−1, 1] for a difference of rates.</summary>
public readonly record struct Bounds(double Low, double High)
{
    public static Bounds Rate => new(0, 1);

    public static Bounds Difference => new(-1, 1);

    /// <summary>The range that a description begins with, as in "0–1; lower is safer"; null where it begins with
    /// none.</summary>
    public static Bounds? Parse(string description) =>
        description.Split([',', ';'])[0].Split('–') is [var low, var high]
        && double.TryParse(low, NumberStyles.Float, CultureInfo.InvariantCulture, out var from)
        && double.TryParse(high, NumberStyles.Float, CultureInfo.InvariantCulture, out var to)
        ? new Bounds(from, to)
        : null;
}
