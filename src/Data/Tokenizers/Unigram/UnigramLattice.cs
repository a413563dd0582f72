namespace SafeLlama.Data;

/// <summary>The most probable split of a text into pieces, by SentencePiece's unigram language model.</summary>
/// <remarks>
/// <code>
/// best[e] = max over pieces p that end at e of  best[e − |p|] + score(p)         in fp32, the first of equals stays
/// </code>
/// Kudo 2018, arXiv:1804.10959. A character that is no piece itself may stand as unknown, at the lowest score − 10.
/// </remarks>
internal sealed class UnigramLattice
{
    private const float UnknownPenalty = 10;

    private readonly Dictionary<long, int> _children = [];
    private readonly List<int> _pieceOf = [-1];
    private readonly float[] _scores;
    private readonly bool[] _userDefined;
    private readonly float _unknownScore;
    private readonly float _highest;
    private readonly int _unknown;

    /// <param name="pieces">Spelling in UTF-8, score and kind of every id.</param>
    /// <param name="unknown">The id of a character that is no piece.</param>
    public UnigramLattice(
        IReadOnlyList<(byte[] Spelling, float Score, SentencePieceFile.PieceType Type)> pieces, int unknown)
    {
        _unknown = unknown;
        _scores = [.. pieces.Select(p => p.Score)];
        _userDefined = [.. pieces.Select(p => p.Type == SentencePieceFile.PieceType.UserDefined)];
        var normal = pieces.Where(p => p.Type == SentencePieceFile.PieceType.Normal).Select(p => p.Score).ToList();
        _unknownScore = normal.Min() - UnknownPenalty;
        _highest = normal.Max();
        for (var id = 0; id < pieces.Count; id++)
        {
            if (pieces[id].Type is SentencePieceFile.PieceType.Normal or SentencePieceFile.PieceType.UserDefined)
            {
                Add(pieces[id].Spelling, id);
            }
        }
    }

    /// <summary>The pieces of a normalized text, in order: id, first byte and end.</summary>
    public List<(int Id, int First, int End)> Split(ReadOnlySpan<byte> text)
    {
        var (best, from, id) = (new float[text.Length + 1], new int[text.Length + 1], new int[text.Length + 1]);
        Array.Fill(from, -1);
        var start = 0;
        while (start < text.Length)
        {
            var character = CharacterLength(text[start..]);
            var (node, isPiece) = (0, false);
            for (var end = start; end < text.Length && _children.TryGetValue(Key(node, text[end]), out node);)
            {
                end++;
                if (_pieceOf[node] is var piece and >= 0)
                {
                    // SentencePiece computes this bonus in double precision: the constant is a double there.
                    var score = _userDefined[piece]
                        ? (float)(((end - start) * _highest) - 0.1) : _scores[piece];
                    Offer(end, piece, score);
                    isPiece |= end - start == character;
                }
            }

            if (!isPiece)
            {
                Offer(start + character, _unknown, _unknownScore);
            }

            start += character;
        }

        var pieces = new List<(int Id, int First, int End)>();
        for (var end = text.Length; end > 0; end = from[end])
        {
            pieces.Add((id[end], from[end], end));
        }

        pieces.Reverse();
        return pieces;

        void Offer(int end, int piece, float score)
        {
            var candidate = best[start] + score;
            if (from[end] < 0 || candidate > best[end])
            {
                (best[end], from[end], id[end]) = (candidate, start, piece);
            }
        }
    }

    /// <summary>The bytes of the first character of some valid UTF-8.</summary>
    public static int CharacterLength(ReadOnlySpan<byte> text)
    {
        var length = text[0] switch { < 0xC0 => 1, < 0xE0 => 2, < 0xF0 => 3, _ => 4 };
        return Math.Min(length, text.Length);
    }

    private static long Key(int node, byte value) => ((long)node << 8) | value;

    private void Add(byte[] spelling, int id)
    {
        var node = 0;
        foreach (var value in spelling)
        {
            if (!_children.TryGetValue(Key(node, value), out var next))
            {
                _children[Key(node, value)] = next = _pieceOf.Count;
                _pieceOf.Add(-1);
            }

            node = next;
        }

        _pieceOf[node] = id;
    }
}
