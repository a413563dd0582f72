namespace SafeLlama.Data;

/// <summary>Statistics of lengths: smallest, median, 95th percentile, largest and sum.</summary>
public sealed record LengthSummary(int Least, int Median, int Percentile95, int Most, long Total)
{
    /// <summary>Percentiles by nearest rank; all zero where there is nothing.</summary>
    public static LengthSummary Of(IEnumerable<int> lengths)
    {
        var sorted = lengths.Order().ToArray();
        return sorted.Length == 0
            ? new LengthSummary(0, 0, 0, 0, 0)
            : new LengthSummary(sorted[0], At(0.5), At(0.95), sorted[^1], sorted.Sum(length => (long)length));

        int At(double share) => sorted[Math.Max(0, (int)Math.Ceiling(share * sorted.Length) - 1)];
    }

    public override string ToString() =>
        $"{Least} least, {Median} median, {Percentile95} at 95%, {Most} most, {Total} in all";
}
