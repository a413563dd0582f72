using System.Runtime.InteropServices;
using System.Text;

namespace SafeLlama.Data;

/// <summary>The training words as symbols, with the count of every pair of neighbors kept up to date.</summary>
/// <remarks>
/// A queue holds pairs by the count they had when they entered it. A count changes between entering and leaving only
/// downwards, unless the pair enters again, so a pair whose count fell is put back with what is left of it.
/// </remarks>
internal sealed class PairCorpus
{
    /// <summary>A character too rare for a piece: it stands between its neighbors.</summary>
    private const int None = -1;

    private readonly List<(int[] Symbols, long Count)> _words = [];
    private readonly Dictionary<(int Left, int Right), long> _counts = [];
    private readonly Dictionary<(int Left, int Right), List<int>> _places = [];
    private readonly PriorityQueue<(int Left, int Right), (long Count, int Left, int Right)> _queue =
        new(Comparer<(long Count, int Left, int Right)>.Create((a, b) =>
            a.Count != b.Count ? b.Count.CompareTo(a.Count) : (a.Left, a.Right).CompareTo((b.Left, b.Right))));

    public PairCorpus(Dictionary<string, long> words, List<(string Spelling, TokenKind Kind)> tokens)
    {
        var characters = tokens.Select((token, id) => (token, id)).Where(t => t.token.Kind == TokenKind.Text)
            .ToDictionary(t => Rune.GetRuneAt(t.token.Spelling, 0), t => t.id);
        var pairs = new HashSet<(int Left, int Right)>();
        foreach (var (word, count) in words)
        {
            var symbols = word.EnumerateRunes().Select(rune => characters.GetValueOrDefault(rune, None)).ToArray();
            if (symbols.Length > 1)
            {
                Change(symbols, count);
                Place(symbols, _words.Count, with: null, pairs);
                _words.Add((symbols, count));
            }
        }

        Enter(pairs);
    }

    /// <summary>The most frequent pair, if it occurs at least so often; of equals the one of smallest ids.</summary>
    public (int Left, int Right)? MostFrequent(long minimum)
    {
        while (_queue.TryDequeue(out var pair, out var entered))
        {
            var count = _counts.GetValueOrDefault(pair);
            if (count == entered.Count)
            {
                return count >= minimum ? pair : null;
            }

            if (count < entered.Count && count >= minimum)
            {
                Enter([pair]);
            }
        }

        return null;
    }

    /// <summary>Makes every such pair of neighbors one symbol, from left to right.</summary>
    public void Merge(int left, int right, int id)
    {
        _places.Remove((left, right), out var places);
        var pairs = new HashSet<(int Left, int Right)>();
        foreach (var place in places ?? [])
        {
            var (symbols, count) = _words[place];
            var merged = Joined(symbols, left, right, id);
            if (merged.Length < symbols.Length)
            {
                Change(symbols, -count);
                Change(merged, count);
                Place(merged, place, with: id, pairs);
                _words[place] = (merged, count);
            }
        }

        Enter(pairs);
    }

    private static int[] Joined(int[] symbols, int left, int right, int id)
    {
        var merged = new List<int>(symbols.Length);
        for (var i = 0; i < symbols.Length; i++)
        {
            var joins = symbols[i] == left && i + 1 < symbols.Length && symbols[i + 1] == right;
            merged.Add(joins ? id : symbols[i]);
            i += joins ? 1 : 0;
        }

        return [.. merged];
    }

    private void Enter(IEnumerable<(int Left, int Right)> pairs)
    {
        foreach (var pair in pairs)
        {
            _queue.Enqueue(pair, (_counts[pair], pair.Left, pair.Right));
        }
    }

    /// <summary>Adds to the count of each pair in a word.</summary>
    private void Change(int[] symbols, long count)
    {
        for (var i = 0; i + 1 < symbols.Length; i++)
        {
            if (symbols[i] != None && symbols[i + 1] != None)
            {
                CollectionsMarshal.GetValueRefOrAddDefault(_counts, (symbols[i], symbols[i + 1]), out _) += count;
            }
        }
    }

    /// <summary>Notes where a word's pairs stand: those with the symbol <paramref name="with"/>, or all.</summary>
    private void Place(int[] symbols, int place, int? with, HashSet<(int Left, int Right)> noted)
    {
        for (var i = 0; i + 1 < symbols.Length; i++)
        {
            var pair = (symbols[i], symbols[i + 1]);
            var isAsked = with is null || symbols[i] == with || symbols[i + 1] == with;
            if (isAsked && symbols[i] != None && symbols[i + 1] != None)
            {
                noted.Add(pair);
                ref var places = ref CollectionsMarshal.GetValueRefOrAddDefault(_places, pair, out _);
                places ??= [];
                if (places is not [.., var last] || last != place)
                {
                    places.Add(place);
                }
            }
        }
    }
}
