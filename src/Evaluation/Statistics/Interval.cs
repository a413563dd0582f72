using System.Text.Json.Serialization;

namespace SafeLlama.Evaluation;

/// <summary>An estimate between its two confidence limits; all three NaN where nothing could be estimated.</summary>
/// <remarks>
/// The limits never coincide: where resampling sees no variation another method takes over, and
/// <see cref="Method"/> names it. Limits that nothing can bound are NaN.
/// </remarks>
/// <param name="Value">The point estimate.</param>
/// <param name="Low">The lower limit.</param>
/// <param name="High">The upper limit.</param>
public readonly record struct Interval(double Value, double Low, double High)
{
    /// <summary>How often such an interval covers the true value.</summary>
    public const double Level = 0.95;

    /// <summary>No estimate, for want of data.</summary>
    public static Interval None => new(double.NaN, double.NaN, double.NaN);

    /// <summary>The method of the limits; null where the owner of the interval names it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Method { get; init; }

    /// <summary>Two intervals are equal when their numbers are; a file keeps the method beside them.</summary>
    public bool Equals(Interval other) =>
        Value.Equals(other.Value) && Low.Equals(other.Low) && High.Equals(other.High);

    public override int GetHashCode() => HashCode.Combine(Value, Low, High);

    public bool IsNone => double.IsNaN(Value);

    public double Width => High - Low;
}
