using System.Text;
using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>A word to ids: its characters as symbols, joined by merges.</summary>
/// <param name="vocabulary">Spelled in characters, or in bytes as U+0000 … U+00FF.</param>
/// <param name="merges">Which symbols join.</param>
internal sealed class BpeModel(Vocabulary vocabulary, BpeMerges merges)
{
    public Vocabulary Vocabulary => vocabulary;

    public BpeMerges Merges => merges;

    /// <summary>Whether a word that is a token is taken whole, by whatever merges it could be reached.</summary>
    public bool IgnoreMerges { get; init; }

    /// <summary>The id for what has neither token nor bytes; null where there is none.</summary>
    public int? Unknown { get; init; }

    /// <summary>Whether a run of unknown characters gives a single unknown token.</summary>
    public bool FuseUnknown { get; init; }

    /// <summary>Whether a character without a token is written in byte tokens.</summary>
    public bool ByteFallback { get; init; }

    /// <summary>Whether symbols are bytes, for the error.</summary>
    public bool SymbolsAreBytes { get; init; }

    /// <exception cref="SafeLlamaException">A character has no token.</exception>
    public int[] Encode(ReadOnlySpan<char> word)
    {
        if (IgnoreMerges && vocabulary.TryText(word, out var whole))
        {
            return [whole];
        }

        return Join(word);
    }

    /// <summary>What merges make of a word, whatever tokens it may be by itself.</summary>
    /// <exception cref="SafeLlamaException">A character has no token.</exception>
    public int[] Join(ReadOnlySpan<char> word)
    {
        var symbols = new List<int>(word.Length);
        var rest = word;
        var pending = false;
        foreach (var rune in word.EnumerateRunes())
        {
            if (vocabulary.TryText(rest[..rune.Utf16SequenceLength], out var id))
            {
                AddUnknown(symbols, pending);
                pending = false;
                symbols.Add(id);
            }
            else if (!TryAddBytes(rune, symbols))
            {
                // As Hugging Face does it, an unknown waits for the next character that has a token of its own, while
                // byte tokens pass it by.
                MustHaveUnknown(rune, word);
                AddUnknown(symbols, pending && !FuseUnknown);
                pending = true;
            }

            rest = rest[rune.Utf16SequenceLength..];
        }

        AddUnknown(symbols, pending);
        merges.Apply(symbols);
        return [.. symbols];
    }

    private void AddUnknown(List<int> symbols, bool add)
    {
        if (add)
        {
            symbols.Add(Unknown!.Value);
        }
    }

    private bool TryAddBytes(Rune rune, List<int> symbols)
    {
        Span<byte> utf8 = stackalloc byte[4];
        utf8 = utf8[..rune.EncodeToUtf8(utf8)];
        if (!ByteFallback || utf8.ToArray().Any(value => vocabulary.Byte(value) < 0))
        {
            return false;
        }

        foreach (var value in utf8)
        {
            symbols.Add(vocabulary.Byte(value));
        }

        return true;
    }

    private void MustHaveUnknown(Rune rune, ReadOnlySpan<char> word)
    {
        if (Unknown is null)
        {
            var shown = SymbolsAreBytes
                ? Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(word.ToString()))
                : word.ToString();
            throw SafeLlamaException.InvalidData(
                $"The tokenizer has no token for "
                + $"{(SymbolsAreBytes ? $"byte 0x{rune.Value:X2}" : $"U+{rune.Value:X4}")}, "
                + $"which \"{UnicodeText.Shown(shown)}\" needs. Take that out of the text, or use another tokenizer.");
        }
    }
}
