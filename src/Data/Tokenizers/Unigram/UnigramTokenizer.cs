using System.Text;
using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>The tokenizer of a DeBERTa-v2/v3 encoder: SentencePiece Unigram, <c>spm.model</c>.</summary>
/// <remarks>
/// Text never becomes a control token: <c>[SEP]</c> in a text is four or five pieces of text. <c>[MASK]</c> is not in
/// the file; its id is the number of pieces. Microsoft.ML.Tokenizers 2.0.1 gives other ids: it does not join unknown
/// characters into one [UNK], and its byte pieces are off.
/// </remarks>
public sealed class UnigramTokenizer
{
    public const string FileName = "spm.model";

    private readonly SentencePieceFile _file;
    private readonly UnigramNormalizer _normalizer;
    private readonly UnigramLattice _lattice;
    private readonly int[]? _bytes;

    private UnigramTokenizer(string path, byte[] content)
    {
        _file = SentencePieceFile.ReadUnigram(path, content);
        Hash = ContentHash.OfBytes(content);
        (PadId, ClassId, SeparatorId) = (Require("[PAD]"), Require("[CLS]"), Require("[SEP]"));
        UnknownId = _file.Pieces.ToList().FindIndex(p => p.Type == SentencePieceFile.PieceType.Unknown);
        _normalizer = new(CharacterMap.Read(path, _file.CharacterRules), _file.AddsPrefix, _file.RemovesSpaces);
        _lattice = new([.. _file.Pieces.Select(p => (Encoding.UTF8.GetBytes(p.Piece), p.Score, p.Type))], UnknownId);
        _bytes = _file.ByteFallback
            ? [.. Enumerable.Range(0, 256).Select(b => Require($"<0x{b:X2}>"))]
            : null;

        int Require(string piece) => Find(piece) ?? throw SafeLlamaException.InvalidData(
            $"{path}: holds no piece {piece}, expected a DeBERTa's with [PAD], [CLS] and [SEP]. Use the "
            + "checkpoint's own.");
    }

    /// <summary>Pieces in the file; a model's vocabulary may be larger.</summary>
    public int PieceCount => _file.Pieces.Count;

    public int PadId { get; }

    /// <summary>[CLS], the first token of every input.</summary>
    public int ClassId { get; }

    /// <summary>[SEP], which ends every text of an input.</summary>
    public int SeparatorId { get; }

    public int UnknownId { get; }

    /// <summary>[MASK], which the file does not hold.</summary>
    public int MaskId => PieceCount;

    /// <summary>Whether an unknown character becomes its UTF-8 bytes, as in DeBERTa-v3, instead of [UNK].</summary>
    public bool WritesBytes => _bytes is not null;

    /// <summary>A SHA-256 over the file.</summary>
    public string Hash { get; }

    /// <summary>Reads the tokenizer of a model folder.</summary>
    /// <exception cref="SafeLlamaException">There is none, or it is no Unigram model of DeBERTa.</exception>
    public static UnigramTokenizer Load(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            throw SafeLlamaException.InvalidData(
                $"{folder}: holds no {FileName}, the SentencePiece model of a DeBERTa; copy it there from the "
                + "checkpoint.");
        }

        var config = Path.Combine(folder, "tokenizer_config.json");
        if (File.Exists(config))
        {
            ConfigField.Read(config, root =>
            {
                foreach (var name in (string[])["do_lower_case", "split_by_punct"])
                {
                    if (root[name].Flag(false))
                    {
                        throw root[name].Wrong("expected false", "Only cased DeBERTa-v2/v3 tokenizers are supported.");
                    }
                }

                return 0;
            });
        }

        return new(path, TokenizerLoader.ReadAll(path));
    }

    /// <summary>The id of a piece by its spelling; null where there is none.</summary>
    public int? Find(string piece)
    {
        for (var id = 0; id < PieceCount; id++)
        {
            if (_file.Pieces[id].Piece == piece)
            {
                return id;
            }
        }

        return null;
    }

    /// <summary>The ids of a text, without [CLS] and [SEP]. Blanks at both ends vanish, runs become one.</summary>
    public int[] Encode(string text)
    {
        var normalized = _normalizer.Normalize(text);
        var ids = new List<int>();
        var previous = -1;
        foreach (var (id, first, end) in _lattice.Split(normalized))
        {
            if (id == UnknownId && _bytes is not null)
            {
                for (var i = first; i < end; i++)
                {
                    ids.Add(_bytes[normalized[i]]);
                }
            }
            else if (id != UnknownId || previous != UnknownId)
            {
                ids.Add(id);
            }

            previous = id;
        }

        return [.. ids];
    }

    /// <summary>[CLS] text [SEP], cut at the end of the text to <paramref name="maxTokens"/>.</summary>
    /// <returns>The ids, and how many tokens of text were left out.</returns>
    public (int[] Ids, int LeftOut) EncodeInput(string text, int maxTokens)
    {
        var ids = Encode(text);
        var kept = Math.Clamp(maxTokens - 2, 0, ids.Length);
        return ([ClassId, .. ids[..kept], SeparatorId], ids.Length - kept);
    }

    /// <summary>
    /// [CLS] first [SEP] second [SEP]; the longer text loses its last token until all fits, the second of equals.
    /// </summary>
    /// <returns>The ids, and how many tokens of text were left out.</returns>
    public (int[] Ids, int LeftOut) EncodePair(string first, string second, int maxTokens)
    {
        var (a, b) = (Encode(first), Encode(second));
        var (keptA, keptB, over) = (a.Length, b.Length, Math.Max(0, a.Length + b.Length + 3 - maxTokens));
        for (var i = 0; i < over; i++)
        {
            _ = keptA > keptB ? keptA-- : keptB--;
        }

        return ([ClassId, .. a[..keptA], SeparatorId, .. b[..keptB], SeparatorId], over);
    }
}
