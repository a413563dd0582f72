using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>The outcome of encoding: everything that was shortened, masked or left out.</summary>
public sealed record EncodingReport
{
    /// <summary>Rows given.</summary>
    public required int Rows { get; init; }

    /// <summary>Rows that became tokenized examples.</summary>
    public required int Kept { get; init; }

    /// <summary>Tokens of the kept rows.</summary>
    public required long TokenCount { get; init; }

    /// <summary>Tokens that are learned.</summary>
    public required long TargetCount { get; init; }

    /// <summary>Tokens of the longest row before anything was shortened.</summary>
    public required int LongestRow { get; init; }

    /// <summary>Rows cut at the limit; they have lost their end token.</summary>
    public required IReadOnlyList<string> Truncated { get; init; }

    /// <summary>Rows whose user text was shortened.</summary>
    public required IReadOnlyList<string> PromptTrimmed { get; init; }

    /// <summary>Rows left out because they are too long.</summary>
    public required IReadOnlyList<string> Dropped { get; init; }

    /// <summary>Rows left out because nothing in them would be learned.</summary>
    public required IReadOnlyList<string> FullyMasked { get; init; }

    /// <summary>Pairs left out because their answers are the same once they are cut.</summary>
    public IReadOnlyList<string> EqualOnceCut { get; init; } = [];

    /// <summary>Rows whose own text spells a marker of the template.</summary>
    public required IReadOnlyList<string> HoldingMarkers { get; init; }

    /// <summary>Rows of which the template leaves out a part, as a thought before an answer.</summary>
    public IReadOnlyList<string> LeftOutInPart { get; init; } = [];

    /// <summary>One line for every count that is not zero, with the first few rows it names.</summary>
    public IEnumerable<string> Lines()
    {
        yield return $"{Kept} of {Counted.Of(Rows, "row")} kept: {TokenCount} tokens, {TargetCount} of them learned; "
            + $"the longest row had {LongestRow}.";
        foreach (var (ids, what) in new[]
        {
            (Truncated, "cut at the most tokens of a row, their end token lost"),
            (PromptTrimmed, "had their prompt shortened to the most tokens of a row"),
            (Dropped, "left out, longer than the most tokens of a row"),
            (FullyMasked, "left out, nothing in them would be learned"),
            (EqualOnceCut, "left out, their answers are the same once they are cut"),
            (HoldingMarkers, "spell a marker of the template in their own text"),
            (LeftOutInPart, "have text that the template leaves out"),
        })
        {
            if (ids.Count > 0)
            {
                yield return $"{Counted.Of(ids.Count, "row")} {what}: "
                    + $"{string.Join(", ", ids.Take(5))}{(ids.Count > 5 ? ", …" : "")}";
            }
        }
    }
}
