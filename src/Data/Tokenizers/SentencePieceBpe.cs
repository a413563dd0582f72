using System.Text;
using SafeLlama.Common;

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
    private readonly BpeMerges _merges;
    private readonly SentencePieceForm _form;
    private readonly int? _unknown;
    private readonly WordCache _words;
    private readonly HashSet<char> _crossing;

    /// <param name="vocabulary">Pieces, byte tokens and control tokens.</param>
    /// <param name="merges">Which symbols join.</param>
    /// <param name="form">The reading of the file it comes from.</param>
    /// <param name="unknown">The id for what has neither piece nor bytes; null where there is none.</param>
    /// <param name="ends">BOS and EOS.</param>
    public SentencePieceBpe(
        Vocabulary vocabulary, BpeMerges merges, SentencePieceForm form, int? unknown, SequenceTokens ends)
        : base(vocabulary, ends)
    {
        (_merges, _form, _unknown) = (merges, form, unknown);
        _words = new WordCache(EncodeWord);
        _crossing = [.. vocabulary.Text.Keys.SelectMany(BeforeSpaces)];
    }

    internal BpeMerges Merges => _merges;

    internal SentencePieceForm Form => _form;

    public override IReadOnlyList<int> Encode(string text)
    {
        if (text.Length == 0)
        {
            return [];
        }

        var pieces = UnicodeText.WellFormed(text).Replace(' ', SentencePieceForm.Space);
        if (_form.Prefix == PrefixSpace.Always
            || (_form.Prefix == PrefixSpace.WhereMissing && pieces[0] != SentencePieceForm.Space))
        {
            pieces = SentencePieceForm.Space + pieces;
        }

        var ids = new List<int>(pieces.Length / 3);
        var start = 0;
        for (var i = 1; i <= pieces.Length; i++)
        {
            if (i == pieces.Length || IsBoundary(pieces, i))
            {
                ids.AddRange(_words.Ids(pieces.AsSpan(start, i - start)));
                start = i;
            }
        }

        return ids.ToArray();
    }

    protected override IIncrementalDecoder StartDecoding(bool keepControl) =>
        new SentencePieceDecoder(Vocabulary, _form, keepControl);

    protected override IEnumerable<string> Settings() => _merges.InOrder
        .Select(m => $"{m.Left} {m.Right} {m.Rank} {m.Id}")
        .Prepend($"sentencepiece {_form} unknown {_unknown}");

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
        return pieces[i - 1] != SentencePieceForm.Space && !_form.IgnoreMerges && !_crossing.Contains(pieces[i - 1]);
    }

    private int[] EncodeWord(ReadOnlySpan<char> word)
    {
        if (_form.IgnoreMerges && Vocabulary.TryText(word, out var whole))
        {
            return [whole];
        }

        var symbols = new List<int>(word.Length);
        Span<byte> utf8 = stackalloc byte[4];
        foreach (var rune in word.EnumerateRunes())
        {
            if (Vocabulary.TryText(word.Slice(0, rune.Utf16SequenceLength), out var id))
            {
                symbols.Add(id);
            }
            else
            {
                AddBytes(utf8[..rune.EncodeToUtf8(utf8)], rune, symbols);
            }

            word = word[rune.Utf16SequenceLength..];
        }

        _merges.Apply(symbols);
        return [.. symbols];
    }

    private void AddBytes(ReadOnlySpan<byte> utf8, Rune rune, List<int> symbols)
    {
        if (Vocabulary.HasAllBytes)
        {
            foreach (var value in utf8)
            {
                symbols.Add(Vocabulary.Byte(value));
            }
        }
        else if (_unknown is not { } unknown)
        {
            throw SafeLlamaException.InvalidData(
                $"The tokenizer has no token for U+{rune.Value:X4}, no byte tokens and no unknown token. "
                + "Use a tokenizer with byte fallback.");
        }
        else if (!_form.FuseUnknown || symbols is not [.., var last] || last != unknown)
        {
            symbols.Add(unknown);
        }
    }
}
