namespace SafeLlama.Data;

/// <summary>Finds the characters of a text that belong to each of its tokens.</summary>
internal static class TokenAlignment
{
    /// <summary>For each token the place of its last character in <paramref name="text"/>.</summary>
    /// <remarks>
    /// The text is decoded again, token by token. A token that completes no character (the first bytes of an emoji, the
    /// space SentencePiece puts before a text) belongs to the character that follows. Null where decoding does not give
    /// the text back, as with a tokenizer that normalizes.
    /// </remarks>
    public static int[]? LastCharacters(ITokenizer tokenizer, IReadOnlyList<int> ids, string text)
    {
        var pieces = TokenPieces.Of(tokenizer, ids);
        var decoded = string.Concat(pieces);
        var shift = decoded.Length - text.Length;
        if (shift is not (0 or 1) || !decoded.EndsWith(text, StringComparison.Ordinal))
        {
            return null;
        }

        var last = new int[ids.Count];
        var end = -shift;
        for (var i = 0; i < ids.Count; i++)
        {
            end += pieces[i].Length;
            last[i] = Math.Clamp(pieces[i].Length > 0 ? end - 1 : end, 0, text.Length - 1);
        }

        return last;
    }

    /// <summary>
    /// The number of leading tokens that <paramref name="ids"/> shares with the text's beginning encoded alone.
    /// </summary>
    public static int CommonPrefix(IReadOnlyList<int> ids, IReadOnlyList<int> alone)
    {
        var shared = 0;
        while (shared < alone.Count && shared < ids.Count && alone[shared] == ids[shared])
        {
            shared++;
        }

        return shared;
    }
}
