using System.Text;

namespace SafeLlama.Data;

/// <summary>
/// LLaMA 1 and 2's tokenizer: spaces become ▁, characters are joined into pieces, what has no piece becomes bytes.
/// </summary>
/// <remarks>
/// The text is not divided into words; merges may reach across them where the vocabulary has such pieces. Where it has
/// none, which is seen once from its spellings, the words are independent and their ids are remembered.
/// Kudo and Richardson 2018, arXiv:1808.06226.
/// </remarks>
internal sealed class SentencePieceBpe : VocabularyTokenizer
{
    private readonly BpeModel _model;
    private readonly SentencePieceForm _form;
    private readonly TextNormalizer _normalizer;
    private readonly WordCache _words;
    private readonly HashSet<char> _crossing;
    private readonly bool _spaceIsPiece;

    /// <param name="model">Pieces, byte tokens and control tokens; which of them join.</param>
    /// <param name="form">The reading of the file it comes from.</param>
    /// <param name="ends">BOS and EOS.</param>
    /// <param name="added">Tokens found before anything is joined; null for none.</param>
    /// <param name="normalizer">What <paramref name="added"/> does to a text before; null for nothing.</param>
    public SentencePieceBpe(
        BpeModel model,
        SentencePieceForm form,
        SequenceTokens ends,
        AddedTokens? added = null,
        TextNormalizer? normalizer = null)
        : base(model.Vocabulary, ends, added)
    {
        (_model, _form, _normalizer) = (model, form, normalizer ?? TextNormalizer.None);
        _words = new WordCache(model.Encode);
        _crossing = [.. model.Vocabulary.Text.Keys.SelectMany(BeforeSpaces)];
        _spaceIsPiece = model.Vocabulary.TryText([SentencePieceForm.Space], out _);
    }

    internal BpeModel Model => _model;

    internal SentencePieceForm Form => _form;

    internal TextNormalizer Normalizer => _normalizer;

    protected override void EncodePart(string text, bool begins, List<int> ids)
    {
        var pieces = _form.RemovesExtraSpaces ? WithoutExtraSpaces(text) : text;
        pieces = _form.EscapesSpaces ? pieces.Replace(' ', SentencePieceForm.Space) : pieces;
        if (pieces.Length == 0)
        {
            return;
        }

        var prefix = begins || !_form.PrefixFirstOnly ? _form.Prefix : PrefixSpace.Never;
        if (prefix == PrefixSpace.Always
            || (prefix == PrefixSpace.WhereMissing && pieces[0] != SentencePieceForm.Space))
        {
            pieces = SentencePieceForm.Space + pieces;
        }

        var start = 0;
        for (var i = 0; i < pieces.Length;)
        {
            if (WholePiece(pieces, i) is not { } whole)
            {
                i++;
                continue;
            }

            Join(pieces[start..i], ids);
            ids.Add(whole.Id);
            start = i += whole.Piece.Length;
        }

        Join(pieces[start..], ids);
    }

    protected override IIncrementalDecoder StartDecoding(bool keepControl) =>
        new SentencePieceDecoder(Vocabulary, _form, keepControl);

    protected override IEnumerable<string> Settings() => _model.Merges.InOrder
        .Select(m => $"{m.Left} {m.Right} {m.Rank} {m.Id}")
        .Prepend(_form.Settings(_model, _normalizer));

    /// <summary>SentencePiece's <c>remove_extra_whitespaces</c>: it drops a ▁ at the end too, typed or not.</summary>
    private static string WithoutExtraSpaces(string text)
    {
        var kept = new StringBuilder(text.Length);
        foreach (var c in text.TrimStart(' '))
        {
            if (c != ' ' || kept[^1] != ' ')
            {
                kept.Append(c);
            }
        }

        return kept.ToString().TrimEnd(' ', SentencePieceForm.Space);
    }

    /// <summary>The characters that stand right before a ▁ inside a piece.</summary>
    private static IEnumerable<char> BeforeSpaces(string piece)
    {
        for (var i = 1; i < piece.Length; i++)
        {
            if (piece[i] == SentencePieceForm.Space && piece[i - 1] != SentencePieceForm.Space)
            {
                yield return piece[i - 1];
            }
        }
    }

    /// <summary>Whether nothing can be joined across the place before <paramref name="i"/>, where a ▁ stands.</summary>
    private bool IsBoundary(string pieces, int i)
    {
        if (pieces[i] != SentencePieceForm.Space || _form.SplitAtSpaces)
        {
            return pieces[i] == SentencePieceForm.Space;
        }

        // Where whole texts are looked up (no split, merges ignored), only the whole text is a word.
        // Where ▁ is no piece, a run of unknown characters may reach across it.
        return _spaceIsPiece && pieces[i - 1] != SentencePieceForm.Space && !_model.IgnoreMerges
            && !_crossing.Contains(pieces[i - 1]);
    }

    private (string Piece, int Id)? WholePiece(string pieces, int at)
    {
        foreach (var whole in _form.WholePieces)
        {
            if (string.CompareOrdinal(pieces, at, whole.Piece, 0, whole.Piece.Length) == 0)
            {
                return whole;
            }
        }

        return null;
    }

    private void Join(string pieces, List<int> ids)
    {
        var start = 0;
        for (var i = 1; i <= pieces.Length; i++)
        {
            if (i == pieces.Length || IsBoundary(pieces, i))
            {
                ids.AddRange(_words.Ids(pieces.AsSpan(start, i - start)));
                start = i;
            }
        }
    }
}
