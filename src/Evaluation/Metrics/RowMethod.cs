namespace SafeLlama.Evaluation;

/// <summary>The method of an interval in words.</summary>
internal static class RowMethod
{
    /// <param name="value">The interval, which names its own method where another one took over.</param>
    /// <param name="bootstrap">The words for a bootstrap: its kind, and what it draws.</param>
    public static string Of(Interval value, string bootstrap) =>
        value.Method is { } method && !method.EndsWith("bootstrap", StringComparison.Ordinal) ? method : bootstrap;
}
