namespace SafeLlama.Data;

/// <summary>Decodes a run of text tokens so that each character stands with the token that completes it.</summary>
internal static class TokenPieces
{
    /// <summary>
    /// One text for each token; joined they are the decoded run. Empty where a character is still open.
    /// </summary>
    /// <remarks>
    /// A decoder may hold several tokens back and give their text at once: SentencePiece gives a run of byte tokens
    /// only when the run ends. Held tokens are then bytes, one each, so the j-th owns the character that ends at byte
    /// j. In a byte-level vocabulary tokens are held within one character only, which ends behind them, with the token
    /// that completes it.
    /// </remarks>
    public static string[] Of(ITokenizer tokenizer, IReadOnlyList<int> ids)
    {
        var pieces = new string[ids.Count];
        Array.Fill(pieces, "");
        var decoder = tokenizer.StartDecoding();
        var held = new List<int>();
        for (var i = 0; i < ids.Count; i++)
        {
            var text = decoder.Append(ids[i]);
            if (text.Length > 0)
            {
                pieces[i] = Share(text, held, pieces);
                held.Clear();
            }
            else if (i > 0 || tokenizer.Decode([ids[0]]).Length > 0)
            {
                // Not held: the first token where it is the space SentencePiece puts before a text, for it is no text.
                held.Add(i);
            }
        }

        var rest = Share(decoder.Finish(), held, pieces);
        if (rest.Length > 0)
        {
            pieces[^1] += rest;
        }

        return pieces;
    }

    /// <summary>
    /// Gives held tokens their characters; what is left belongs to the token that brought the text out.
    /// </summary>
    private static string Share(string text, List<int> held, string[] pieces)
    {
        var (bytes, characters) = (0, 0);
        foreach (var rune in text.EnumerateRunes())
        {
            bytes += rune.Utf8SequenceLength;
            if (bytes > held.Count)
            {
                break;
            }

            pieces[held[bytes - 1]] = rune.ToString();
            characters += rune.Utf16SequenceLength;
        }

        return text[characters..];
    }
}
