using System.Security.Cryptography;
using System.Text;
using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>What all tokenizers share: a vocabulary, the ends of a sequence, decoding by a decoder.</summary>
internal abstract class VocabularyTokenizer : ITokenizer
{
    private readonly SequenceTokens _ends;
    private readonly AddedTokens _added;
    private readonly Lazy<string> _hash;

    protected VocabularyTokenizer(Vocabulary vocabulary, SequenceTokens ends, AddedTokens? added = null)
    {
        (Vocabulary, _ends, _added) = (vocabulary, ends, added ?? AddedTokens.None);
        _hash = new Lazy<string>(ComputeHash);
    }

    public int VocabularySize => Vocabulary.Size;

    public int? BosId => _ends.Bos;

    public int EosId => _ends.Eos;

    public string Hash => _hash.Value;

    public IReadOnlyList<string> Notes { get; init; } = [];

    protected internal Vocabulary Vocabulary { get; }

    /// <summary>The rules of an added token; null where the id is none.</summary>
    internal AddedToken? Added(int id) => _added.Of(id);

    /// <summary>How many added tokens are found in a text, before anything else is done to it.</summary>
    internal int FoundInText => _added.FoundInText;

    public IReadOnlyList<int> Encode(string text) => Encode(text, begins: true);

    public IReadOnlyList<int> EncodeContinuing(string text) => Encode(text, begins: false);

    public (bool Left, bool Right) StripsSpace(int id) =>
        _added.Of(id) is { } token ? (token.StripsLeft, token.StripsRight) : default;

    public string Decode(ReadOnlySpan<int> ids, bool keepControl = false)
    {
        var decoder = StartDecoding(keepControl);
        var text = new StringBuilder();
        foreach (var id in ids)
        {
            text.Append(decoder.Append(id));
        }

        return text.Append(decoder.Finish()).ToString();
    }

    public IIncrementalDecoder StartDecoding() => StartDecoding(keepControl: false);

    public IReadOnlyCollection<string> ControlTokens => Vocabulary.Marks;

    public int? ControlId(string token) => Vocabulary.TryMark(token, out var id) ? id : null;

    protected abstract IIncrementalDecoder StartDecoding(bool keepControl);

    /// <summary>Adds the ids of a text between added tokens.</summary>
    /// <param name="text">Well-formed, normalized and not empty.</param>
    /// <param name="begins">Whether it begins the sequence.</param>
    /// <param name="ids">Gets them.</param>
    protected abstract void EncodePart(string text, bool begins, List<int> ids);

    /// <summary>Every setting that changes ids or text, one line each: with the vocabulary it makes the hash.</summary>
    protected abstract IEnumerable<string> Settings();

    private int[] Encode(string text, bool begins)
    {
        var ids = new List<int>(text.Length / 3);
        foreach (var (id, part, start) in _added.Split(UnicodeText.WellFormed(text)))
        {
            if (id is { } token)
            {
                ids.Add(token);
            }
            else if (part.Length > 0)
            {
                EncodePart(part, begins && start == 0, ids);
            }
        }

        return [.. ids];
    }

    private string ComputeHash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var line in Settings().Concat(_added.Settings())
            .Append($"bos {BosId} eos {EosId} size {VocabularySize}"))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(line + "\n"));
        }

        for (var id = 0; id < VocabularySize; id++)
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{Vocabulary.Kind(id)} {Vocabulary.Spelling(id)}\0"));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Refuses an id that no token has, as a model with padded vocabulary may sample one.</summary>
    internal static void MustBeKnown(int id, Vocabulary vocabulary)
    {
        if ((uint)id >= (uint)vocabulary.Size)
        {
            throw SafeLlamaException.InvalidData(
                $"Token id {id} has no token: the tokenizer knows 0 … {vocabulary.Size - 1}. "
                + "Use the tokenizer that belongs to the model.");
        }
    }
}
