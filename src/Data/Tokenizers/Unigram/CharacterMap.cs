using System.Buffers.Binary;
using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>SentencePiece's precompiled character rules: the longest rule that matches rewrites its bytes.</summary>
/// <remarks>
/// <c>normalizer_spec.precompiled_charsmap</c>: a 32-bit length, a double-array trie over UTF-8 (Darts-clone) whose
/// values are offsets, and the replacement texts at those offsets, each ended by a zero byte.
/// </remarks>
internal sealed class CharacterMap
{
    private readonly uint[] _units;
    private readonly byte[] _texts;

    private CharacterMap(uint[] units, byte[] texts) => (_units, _texts) = (units, texts);

    /// <summary>No rules: every character stays as it is.</summary>
    public static CharacterMap Empty { get; } = new([], []);

    /// <exception cref="SafeLlamaException">The lengths do not fit the bytes.</exception>
    public static CharacterMap Read(string path, byte[] blob)
    {
        if (blob.Length == 0)
        {
            return Empty;
        }

        var trie = blob.Length < 4 ? uint.MaxValue : BinaryPrimitives.ReadUInt32LittleEndian(blob);
        if (trie % 4 != 0 || trie > blob.Length - 4 || (trie < blob.Length - 4 && blob[^1] != 0))
        {
            throw SafeLlamaException.InvalidData(
                $"{path}: normalizer_spec.precompiled_charsmap has {blob.Length} bytes and promises a trie of {trie}, "
                + "expected whole units and texts that end in zero. Download the file again.");
        }

        var units = new uint[trie / 4];
        for (var i = 0; i < units.Length; i++)
        {
            units[i] = BinaryPrimitives.ReadUInt32LittleEndian(blob.AsSpan(4 + (4 * i)));
        }

        return new(units, blob[(4 + (int)trie)..]);
    }

    /// <summary>The longest rule at the start of some UTF-8.</summary>
    /// <param name="text">What is left of the input.</param>
    /// <param name="replacement">What the rule writes instead; may be empty.</param>
    /// <returns>The bytes that the rule rewrites; 0 where none matches.</returns>
    public int Match(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> replacement)
    {
        replacement = default;
        if (_units.Length == 0)
        {
            return 0;
        }

        var (length, node) = (0, Offset(_units[0]));
        for (var i = 0; i < text.Length; i++)
        {
            node ^= text[i];
            if (node >= _units.Length || Label(_units[node]) != text[i])
            {
                break;
            }

            var unit = _units[node];
            node ^= Offset(unit);
            if (HasValue(unit) && node < _units.Length && (_units[node] & int.MaxValue) is var at && at < _texts.Length)
            {
                length = i + 1;
                var rest = _texts.AsSpan((int)at);
                replacement = rest[..rest.IndexOf((byte)0)];
            }
        }

        return length;
    }

    private static uint Offset(uint unit) => (unit >> 10) << (int)((unit & 0x200) >> 6);

    private static uint Label(uint unit) => unit & 0x800000FF;

    private static bool HasValue(uint unit) => (unit & 0x100) != 0;
}
