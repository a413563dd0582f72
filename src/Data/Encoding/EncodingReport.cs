namespace SafeLlama.Data;

/// <summary>What became of every row: nothing is shortened, masked or left out without standing here.</summary>
/// <param name="Rows">Rows given.</param>
/// <param name="Kept">Rows that became tokenized examples.</param>
/// <param name="TokenCount">Tokens of the kept rows.</param>
/// <param name="TargetCount">Tokens that are learned.</param>
/// <param name="LongestRow">Tokens of the longest row before anything was shortened.</param>
/// <param name="Truncated">Rows cut at the limit; they have lost their end token.</param>
/// <param name="PromptTrimmed">Rows whose user text was shortened.</param>
/// <param name="Dropped">Rows left out because they are too long.</param>
/// <param name="FullyMasked">Rows left out because nothing in them would be learned.</param>
/// <param name="HoldingMarkers">Rows whose own text spells a marker of the template.</param>
public sealed record EncodingReport(
    int Rows,
    int Kept,
    long TokenCount,
    long TargetCount,
    int LongestRow,
    IReadOnlyList<string> Truncated,
    IReadOnlyList<string> PromptTrimmed,
    IReadOnlyList<string> Dropped,
    IReadOnlyList<string> FullyMasked,
    IReadOnlyList<string> HoldingMarkers)
{
    /// <summary>Rows of which the template leaves out a part, as a thought before an answer.</summary>
    public IReadOnlyList<string> LeftOutInPart { get; init; } = [];

    /// <summary>One line for every count that is not zero, with the first few rows it names.</summary>
    public IEnumerable<string> Lines()
    {
        yield return $"{Kept} of {Rows} rows kept: {TokenCount} tokens, {TargetCount} of them learned; "
            + $"the longest row had {LongestRow}.";
        foreach (var (ids, what) in new[]
        {
            (Truncated, "cut at the most tokens of a row, their end token lost"),
            (PromptTrimmed, "had their prompt shortened to the most tokens of a row"),
            (Dropped, "left out, longer than the most tokens of a row"),
            (FullyMasked, "left out, nothing in them would be learned"),
            (HoldingMarkers, "spell a marker of the template in their own text"),
            (LeftOutInPart, "have text that the template leaves out"),
        })
        {
            if (ids.Count > 0)
            {
                yield return $"{ids.Count} rows {what}: {string.Join(", ", ids.Take(5))}{(ids.Count > 5 ? ", …" : "")}";
            }
        }
    }
}
