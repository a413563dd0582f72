namespace SafeLlama.Data;

/// <summary>One row as token ids, with what is to be learned at each place.</summary>
/// <param name="Id">The row's id.</param>
/// <param name="Source">Where the row was read.</param>
/// <param name="Tokens">[T] ids, beginning and end tokens included.</param>
/// <param name="Targets">[T] the id to predict after <c>Tokens[i]</c>; −1 where nothing is learned.</param>
/// <param name="LabelCount">
/// Tokens that are labeled, the first included: what Hugging Face's Trainer divides by. One more than
/// <see cref="TargetCount"/> where the first token, which nothing predicts, is labeled.
/// </param>
public record TokenizedExample(string Id, RowSource Source, int[] Tokens, int[] Targets, int LabelCount)
{
    /// <summary>Marks a place where nothing is learned.</summary>
    public const int NoTarget = -1;

    /// <summary>Places with a target: what the loss is averaged over.</summary>
    public int TargetCount { get; } = Targets.Count(target => target != NoTarget);

    /// <summary>T, the number of tokens.</summary>
    public int Length => Tokens.Length;

    /// <summary>The first token of each sequence it holds: one, or the two of a pair.</summary>
    public IReadOnlyList<int> Starts { get; init; } = [0];

    /// <summary>Tokens of its longest sequence.</summary>
    public virtual int LongestSequence => Starts.Count == 1 ? Length
        : Starts.Select((start, i) => (i + 1 < Starts.Count ? Starts[i + 1] : Length) - start).Max();

    /// <summary>Shifts labels, which name the token at their own place, to targets, which name the next one.</summary>
    /// <param name="id">The row's id.</param>
    /// <param name="source">Where the row was read.</param>
    /// <param name="tokens">[T] ids.</param>
    /// <param name="labeled">[T] whether the token at this place is to be predicted.</param>
    public static TokenizedExample FromLabels(string id, RowSource source, int[] tokens, ReadOnlySpan<bool> labeled)
    {
        var targets = new int[tokens.Length];
        for (var i = 0; i < tokens.Length; i++)
        {
            targets[i] = i + 1 < tokens.Length && labeled[i + 1] ? tokens[i + 1] : NoTarget;
        }

        return new TokenizedExample(id, source, tokens, targets, labeled.Count(true));
    }
}
