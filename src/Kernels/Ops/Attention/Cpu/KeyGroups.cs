namespace SafeLlama.Kernels;

/// <summary>
/// Rows First … End − 1, whose keys FirstKey … EndKey − 1 no other group's rows attend to: a packed example.
/// </summary>
internal readonly record struct KeyGroup(int First, int End, int FirstKey, int EndKey);

/// <summary>
/// Cuts an attention into parts that share no key, so that the parts of backward may run side by side.
/// </summary>
/// <remarks>Not thread-safe; the lists are used again by the next call.</remarks>
internal sealed class KeyGroups
{
    private readonly List<KeyGroup> _groups = [];
    private readonly List<KeyGroup> _blocks = [];
    private int[] _lowest = [];

    /// <summary>
    /// The groups, in order; together their keys are 0 … keys − 1, those that nobody attends to included.
    /// </summary>
    public List<KeyGroup> Split(Elements<int> firstKey, Elements<int> lastKey, int keys)
    {
        _groups.Clear();
        var first = firstKey.AsSpan();
        var last = lastKey.AsSpan();
        if (first.Length == 0)
        {
            return _groups;
        }

        // A cut before row n needs every key of the rows from n on to lie beyond every key of the rows before n.
        var lowest = Lowest(first);
        var (start, startKey, highest) = (0, 0, -1);
        for (var n = 0; n < first.Length; n++)
        {
            if (n > start && lowest[n] > highest)
            {
                _groups.Add(new(start, n, startKey, highest + 1));
                (start, startKey) = (n, highest + 1);
            }

            highest = Math.Max(highest, last[n]);
        }

        _groups.Add(new(start, first.Length, startKey, keys));
        return _groups;
    }

    /// <summary>The same rows in blocks of at most so many, none across two groups, each with just its keys.</summary>
    public List<KeyGroup> SplitIntoBlocks(Elements<int> firstKey, Elements<int> lastKey, int keys, int rowsPerBlock)
    {
        _blocks.Clear();
        foreach (var group in Split(firstKey, lastKey, keys))
        {
            for (var n = group.First; n < group.End; n += rowsPerBlock)
            {
                _blocks.Add(Tight(firstKey.AsSpan(), lastKey.AsSpan(), n, Math.Min(group.End, n + rowsPerBlock)));
            }
        }

        return _blocks;
    }

    /// <summary>Some rows and the keys from the first that any of them attends to, to the last.</summary>
    public static KeyGroup Tight(ReadOnlySpan<int> firstKey, ReadOnlySpan<int> lastKey, int first, int end)
    {
        var (low, high) = (int.MaxValue, -1);
        for (var n = first; n < end; n++)
        {
            (low, high) = (Math.Min(low, firstKey[n]), Math.Max(high, lastKey[n]));
        }

        return new(first, end, low, high + 1);
    }

    /// <summary>For each row, the lowest first key of it and all rows after it.</summary>
    private ReadOnlySpan<int> Lowest(ReadOnlySpan<int> first)
    {
        if (_lowest.Length < first.Length)
        {
            _lowest = new int[first.Length];
        }

        var lowest = int.MaxValue;
        for (var n = first.Length - 1; n >= 0; n--)
        {
            _lowest[n] = lowest = Math.Min(lowest, first[n]);
        }

        return _lowest;
    }
}
