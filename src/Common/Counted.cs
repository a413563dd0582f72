namespace SafeLlama.Common;

/// <summary>Numbers with their noun: "1 row", "3 rows".</summary>
public static class Counted
{
    /// <param name="count">How many.</param>
    /// <param name="one">What one of them is called; more get an s.</param>
    public static string Of(long count, string one) => $"{count} {one}{(count == 1 ? "" : "s")}";
}
