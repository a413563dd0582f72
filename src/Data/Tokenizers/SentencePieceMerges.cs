using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>The merges that a SentencePiece model leaves unsaid.</summary>
/// <remarks>
/// SentencePiece joins any two neighbors whose union is a piece, the union of highest score first. So every way to cut
/// a piece into two pieces is a merge, and its rank is the place of the piece's score among all scores.
/// </remarks>
internal static class SentencePieceMerges
{
    /// <exception cref="SafeLlamaException">
    /// A piece holds a character that is no piece: it could not be reached.
    /// </exception>
    public static BpeMerges From(SentencePieceFile file, Vocabulary vocabulary, string path)
    {
        var pieces = Enumerable.Range(0, file.Pieces.Count)
            .Where(id => file.Pieces[id].Type == SentencePieceFile.PieceType.Normal
                && vocabulary.Kind(id) == TokenKind.Text)
            .ToList();
        foreach (var id in pieces)
        {
            MustHavePieceForEachCharacter(file.Pieces[id].Piece, id, vocabulary, path);
        }

        return ByScore(vocabulary, [.. file.Pieces.Select(p => (double)p.Score)], pieces);
    }

    /// <summary>The merges that make these pieces, those of highest score first.</summary>
    /// <param name="scores">Of all ids.</param>
    /// <param name="pieces">Ids of text tokens.</param>
    public static BpeMerges ByScore(Vocabulary vocabulary, double[] scores, IEnumerable<int> pieces)
    {
        var ranks = scores.Distinct().OrderDescending()
            .Select((value, rank) => (value, rank)).ToDictionary(s => s.value, s => s.rank);
        var merges = new BpeMerges();
        foreach (var id in pieces)
        {
            var piece = vocabulary.Spelling(id);
            for (var cut = 1; cut < piece.Length; cut++)
            {
                if (vocabulary.TryText(piece.AsSpan(0, cut), out var left)
                    && vocabulary.TryText(piece.AsSpan(cut), out var right))
                {
                    merges.Add(left, right, ranks[scores[id]], id);
                }
            }
        }

        return merges;
    }

    private static void MustHavePieceForEachCharacter(string piece, int id, Vocabulary vocabulary, string path)
    {
        foreach (var rune in piece.EnumerateRunes())
        {
            if (!vocabulary.TryText(rune.ToString(), out _))
            {
                throw SafeLlamaException.InvalidData(
                    $"{path}: pieces[{id}] \"{UnicodeText.Shown(piece)}\" holds U+{rune.Value:X4}, which is no piece "
                    + "itself. Download the file again.");
            }
        }
    }
}
