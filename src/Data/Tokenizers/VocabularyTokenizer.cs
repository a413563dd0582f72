using System.Security.Cryptography;
using System.Text;
using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>What all tokenizers share: a vocabulary, the ends of a sequence, decoding by a decoder.</summary>
internal abstract class VocabularyTokenizer : ITokenizer
{
    private readonly SequenceTokens _ends;
    private readonly Lazy<string> _hash;

    protected VocabularyTokenizer(Vocabulary vocabulary, SequenceTokens ends)
    {
        (Vocabulary, _ends) = (vocabulary, ends);
        _hash = new Lazy<string>(ComputeHash);
    }

    public int VocabularySize => Vocabulary.Size;

    public int? BosId => _ends.Bos;

    public int EosId => _ends.Eos;

    public string Hash => _hash.Value;

    protected internal Vocabulary Vocabulary { get; }

    public abstract IReadOnlyList<int> Encode(string text);

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

    /// <summary>Every setting that changes ids or text, one line each: with the vocabulary it makes the hash.</summary>
    protected abstract IEnumerable<string> Settings();

    private string ComputeHash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var line in Settings().Append($"bos {BosId} eos {EosId} size {VocabularySize}"))
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
