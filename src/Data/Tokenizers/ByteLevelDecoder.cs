using System.Text;

namespace SafeLlama.Data;

/// <summary>Byte-level tokens to text: bytes in a row, U+FFFD for each maximal part that is no UTF-8.</summary>
internal sealed class ByteLevelDecoder(Vocabulary vocabulary, bool keepControl) : IIncrementalDecoder
{
    private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();

    public string Append(int id)
    {
        VocabularyTokenizer.MustBeKnown(id, vocabulary);
        var spelling = vocabulary.Spelling(id);
        return vocabulary.Kind(id) switch
        {
            TokenKind.Text => Decode(Encoding.Latin1.GetBytes(spelling), last: false),
            TokenKind.Gap => "",
            TokenKind.Control or TokenKind.Unknown when !keepControl => "",
            _ => Decode(Encoding.UTF8.GetBytes(spelling), last: false),
        };
    }

    public string Finish() => Decode([], last: true);

    private string Decode(byte[] bytes, bool last)
    {
        // A byte gives at most one character; up to three that were held back may come before.
        var characters = new char[bytes.Length + 4];
        return new string(characters, 0, _utf8.GetChars(bytes, characters, last));
    }
}
