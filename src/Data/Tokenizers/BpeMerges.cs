using System.Runtime.InteropServices;

namespace SafeLlama.Data;

/// <summary>
/// Byte-pair encoding's only step: two neighboring symbols become one, the earliest learned pair first.
/// </summary>
/// <remarks>
/// Sennrich et al. 2016, arXiv:1508.07909. Among the pairs that stand side by side, the one of lowest rank is joined;
/// equal ranks go from left to right. A queue holds the candidates, so a text of n symbols takes O(n log n).
/// </remarks>
internal sealed class BpeMerges
{
    private const int Gone = -1;

    private readonly Dictionary<(int Left, int Right), (int Rank, int Id)> _merges = [];

    public int Count => _merges.Count;

    /// <summary>All merges, by rank and then by their ids.</summary>
    public IEnumerable<(int Left, int Right, int Rank, int Id)> InOrder => _merges
        .Select(m => (m.Key.Left, m.Key.Right, m.Value.Rank, m.Value.Id))
        .OrderBy(m => m.Rank).ThenBy(m => m.Left).ThenBy(m => m.Right);

    /// <summary>
    /// Lets <paramref name="left"/> and <paramref name="right"/> join; the first rank given to a pair holds.
    /// </summary>
    public void Add(int left, int right, int rank, int id) => _merges.TryAdd((left, right), (rank, id));

    /// <summary>As <see cref="Add"/>, but the last rank given to a pair holds.</summary>
    public void Set(int left, int right, int rank, int id) => _merges[(left, right)] = (rank, id);

    /// <summary>Joins in place until no pair is left that may.</summary>
    public void Apply(List<int> symbols)
    {
        if (symbols.Count < 2)
        {
            return;
        }

        var ids = CollectionsMarshal.AsSpan(symbols);
        var next = new int[ids.Length];
        var previous = new int[ids.Length];
        var queue = new PriorityQueue<(int At, int Left, int Right, int Id), long>();
        for (var i = 0; i < ids.Length; i++)
        {
            (next[i], previous[i]) = (i + 1, i - 1);
        }

        for (var i = 0; i + 1 < ids.Length; i++)
        {
            Offer(i, ids, next, queue);
        }

        while (queue.TryDequeue(out var pair, out _))
        {
            var right = next[pair.At];
            if (ids[pair.At] != pair.Left || right == ids.Length || ids[right] != pair.Right)
            {
                continue; // one of the two has been joined with something else since
            }

            (ids[pair.At], ids[right]) = (pair.Id, Gone);
            next[pair.At] = next[right];
            if (next[right] < ids.Length)
            {
                previous[next[right]] = pair.At;
            }

            Offer(pair.At, ids, next, queue);
            if (previous[pair.At] >= 0)
            {
                Offer(previous[pair.At], ids, next, queue);
            }
        }

        symbols.RemoveAll(id => id == Gone);
    }

    private void Offer(
        int at, ReadOnlySpan<int> ids, int[] next, PriorityQueue<(int At, int Left, int Right, int Id), long> queue)
    {
        var right = next[at];
        if (right < ids.Length && _merges.TryGetValue((ids[at], ids[right]), out var merge))
        {
            queue.Enqueue((at, ids[at], ids[right], merge.Id), ((long)merge.Rank << 32) | (uint)at);
        }
    }
}
