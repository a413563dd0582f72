namespace SafeLlama.Kernels;

/// <summary>
/// Some rows of a group and the keys that they see; a group of its own, or one of several that are added up.
/// </summary>
/// <param name="Group">Which group, counted from 0.</param>
/// <param name="Rows">The rows and keys.</param>
/// <param name="Sums">Where this part's dk and dv stand in scratch, in floats; −1 where the part is a whole
/// group.</param>
internal readonly record struct AttentionPart(int Group, KeyGroup Rows, long Sums)
{
    public bool IsCut => Sums >= 0;

    /// <summary>Where the [2, keys, d] sums of one head stand: dk, then dv.</summary>
    public long SumsAt(int keyHead, int headDim) => Sums + (2L * keyHead * (Rows.EndKey - Rows.FirstKey) * headDim);
}

/// <summary>Cuts long groups by rows, so that one long sequence keeps many threads busy in backward too.</summary>
/// <remarks>
/// The cut depends on shapes alone, and the parts' dk and dv are added up in rising order: any number of threads gives
/// the same bytes.
/// </remarks>
internal sealed class AttentionParts
{
    /// <summary>As many tiles of equal size as this are wanted, before a group is cut.</summary>
    private const int WantedTiles = 32;

    /// <summary>Fewer rows than this do not pay for adding up.</summary>
    private const int LeastRows = 256;

    private readonly List<AttentionPart> _parts = [];

    public List<AttentionPart> Parts => _parts;

    /// <summary>Floats of scratch for the sums of all parts that are not whole groups.</summary>
    public long SumCount { get; private set; }

    /// <summary>Cuts the groups of <see cref="KeyGroups.Split"/>, each part with just its keys.</summary>
    /// <param name="groups">The groups.</param>
    /// <param name="t">The attention they belong to.</param>
    public void Cut(List<KeyGroup> groups, in AttentionOperands t)
    {
        _parts.Clear();
        SumCount = 0;
        var most = MostRows(t.FirstKey.Count, t.KeyHeads);
        for (var g = 0; g < groups.Count; g++)
        {
            var group = groups[g];
            if (group.End - group.First <= most)
            {
                _parts.Add(new(g, group, -1));
                continue;
            }

            for (var n = group.First; n < group.End; n += most)
            {
                var rows = KeyGroups.Tight(t.FirstKey.AsSpan(), t.LastKey.AsSpan(), n, Math.Min(group.End, n + most));
                _parts.Add(new(g, rows, SumCount));
                SumCount += 2L * (rows.EndKey - rows.FirstKey) * t.HeadDim * t.KeyHeads;
            }
        }
    }

    /// <summary>
    /// No less than <see cref="SumCount"/> where rows see the keys of their own sequence, up to their own.
    /// </summary>
    /// <remarks>
    /// Of a sequence in p parts, part i sees the keys of i parts at most: together no more than (p + 2) / 2 times all.
    /// </remarks>
    public static long MostSums(in WorkSize work)
    {
        var most = MostRows(work.Rows, work.KeyHeads);
        return work.Longest <= most
            ? 0 : (long)work.Rows * (((work.Longest + most - 1) / most) + 2) * work.HeadDim * work.KeyHeads;
    }

    /// <summary>Rows of a part.</summary>
    private static int MostRows(int rows, int keyHeads) =>
        Math.Max(LeastRows, QueryBlockRows((int)((long)rows * keyHeads / WantedTiles)));

    private static int QueryBlockRows(int rows) =>
        (rows + QueryBlock<Lanes128>.Queries - 1) & -QueryBlock<Lanes128>.Queries;
}
