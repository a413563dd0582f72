using System.Text;

namespace SafeLlama.Data;

/// <summary>A text as SentencePiece sees it: rewritten characters, single blanks written ▁, one in front.</summary>
/// <remarks>The steps and their order are those of <c>sentencepiece/src/normalizer.cc</c>, version 0.1.97.</remarks>
internal sealed class UnigramNormalizer
{
    private static readonly byte[] Space = Encoding.UTF8.GetBytes("▁");

    private readonly CharacterMap _map;
    private readonly bool _addsPrefix;
    private readonly bool _removesSpaces;

    public UnigramNormalizer(CharacterMap map, bool addsPrefix, bool removesSpaces) =>
        (_map, _addsPrefix, _removesSpaces) = (map, addsPrefix, removesSpaces);

    /// <summary>The normalized text in UTF-8; empty where nothing but blanks was there.</summary>
    public byte[] Normalize(string text)
    {
        ReadOnlySpan<byte> input = Encoding.UTF8.GetBytes(text);
        if (_removesSpaces)
        {
            while (!input.IsEmpty && Next(input, out var first) is var taken && first.SequenceEqual(" "u8))
            {
                input = input[taken..];
            }
        }

        if (input.IsEmpty)
        {
            return [];
        }

        var output = new List<byte>(input.Length + (input.Length / 2) + Space.Length);
        if (_addsPrefix)
        {
            output.AddRange(Space);
        }

        var afterSpace = _removesSpaces;
        while (!input.IsEmpty)
        {
            var taken = Next(input, out var part);
            while (afterSpace && part is [(byte)' ', ..])
            {
                part = part[1..];
            }

            foreach (var value in part)
            {
                if (value == ' ')
                {
                    output.AddRange(Space);
                }
                else
                {
                    output.Add(value);
                }
            }

            afterSpace = part.IsEmpty ? afterSpace : _removesSpaces && part[^1] == ' ';
            input = input[taken..];
        }

        if (_removesSpaces)
        {
            while (output.Count >= Space.Length && output[^3] == Space[0] && output[^2] == Space[1]
                && output[^1] == Space[2])
            {
                output.RemoveRange(output.Count - Space.Length, Space.Length);
            }
        }

        return [.. output];
    }

    /// <summary>What the next rule or character writes, and how many bytes it takes.</summary>
    private int Next(ReadOnlySpan<byte> input, out ReadOnlySpan<byte> part)
    {
        var taken = _map.Match(input, out part);
        if (taken > 0)
        {
            return taken;
        }

        taken = UnigramLattice.CharacterLength(input);
        part = input[..taken];
        return taken;
    }
}
