using System.Runtime.InteropServices;
using System.Text;

namespace SafeLlama.Data;

/// <summary>Pieces to text: ▁ becomes a space, runs of byte tokens become characters.</summary>
internal sealed class SentencePieceDecoder(Vocabulary vocabulary, SentencePieceForm form, bool keepControl)
    : IIncrementalDecoder
{
    private readonly List<byte> _bytes = [];
    private bool _begun = !form.StripsPrefix;

    public string Append(int id)
    {
        VocabularyTokenizer.MustBeKnown(id, vocabulary);
        var spelling = vocabulary.Spelling(id);
        switch (vocabulary.Kind(id))
        {
            case TokenKind.Byte:
                _bytes.Add(ByteTokens.Value(spelling));
                return form.BytesByRun ? "" : Show(CertainCharacters(last: false), mayStrip: false);
            case TokenKind.Text:
                return Bytes() + Show(spelling.Replace(SentencePieceForm.Space, ' '), mayStrip: true);
            case TokenKind.Gap:
                return Hidden();
            case TokenKind.Unknown when !keepControl:
                return form.UnknownText.Length == 0 ? Hidden() : Bytes() + Show(form.UnknownText, mayStrip: false);
            case TokenKind.Control when !keepControl:
                return Hidden();
            default:
                return Bytes() + Show(spelling, mayStrip: false);
        }
    }

    public string Finish() => Bytes();

    /// <summary>A token that is left out: to SentencePiece it still ends a run of bytes.</summary>
    private string Hidden() => form.BytesByRun ? "" : Bytes();

    private string Bytes() => Show(form.BytesByRun ? WholeRun() : CertainCharacters(last: true), form.BytesByRun);

    /// <summary>Takes the prefix space away from the first text that may carry it.</summary>
    private string Show(string text, bool mayStrip)
    {
        if (text.Length == 0 || _begun)
        {
            return text;
        }

        _begun = true;
        return mayStrip && text[0] == ' ' ? text[1..] : text;
    }

    /// <summary>The run as text if it is valid UTF-8, or else one U+FFFD for each of its bytes.</summary>
    private string WholeRun()
    {
        var run = CollectionsMarshal.AsSpan(_bytes);
        var isValid = System.Text.Unicode.Utf8.IsValid(run);
        var text = isValid ? Encoding.UTF8.GetString(run) : new string('\uFFFD', run.Length);
        _bytes.Clear();
        return text;
    }

    /// <summary>The characters that are complete, one U+FFFD for each byte that cannot be part of any.</summary>
    private string CertainCharacters(bool last)
    {
        var text = new StringBuilder();
        var rest = (ReadOnlySpan<byte>)CollectionsMarshal.AsSpan(_bytes);
        var taken = 0;
        while (taken < rest.Length)
        {
            var status = Rune.DecodeFromUtf8(rest[taken..], out var rune, out var length);
            if (status == System.Buffers.OperationStatus.NeedMoreData && !last)
            {
                break;
            }

            text.Append(rune);
            taken += status == System.Buffers.OperationStatus.Done ? length : 1;
        }

        _bytes.RemoveRange(0, taken);
        return text.ToString();
    }
}
