using System.Diagnostics.CodeAnalysis;
using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>The tokens by id: spelling and kind. Text is looked up among text tokens alone.</summary>
internal sealed class Vocabulary
{
    private readonly string[] _spellings;
    private readonly TokenKind[] _kinds;
    private readonly Dictionary<string, int> _text;
    private readonly Dictionary<string, int> _marks;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _textBySpan;
    private readonly int[] _bytes = new int[256];

    /// <param name="tokens">Spelling and kind of the ids 0 … V − 1.</param>
    /// <param name="file">The file they come from, for errors.</param>
    /// <param name="alsoText">
    /// Added tokens that the model's vocabulary holds too, by their spelling there: merges may make them.
    /// </param>
    /// <exception cref="SafeLlamaException">Two ids share a spelling, or a byte token is no byte.</exception>
    public Vocabulary(
        IReadOnlyList<(string Spelling, TokenKind Kind)> tokens,
        string file,
        IReadOnlyDictionary<string, int>? alsoText = null)
    {
        _spellings = [.. tokens.Select(t => t.Spelling)];
        _kinds = [.. tokens.Select(t => t.Kind)];
        _text = new Dictionary<string, int>(tokens.Count, StringComparer.Ordinal);
        _marks = new Dictionary<string, int>(StringComparer.Ordinal);
        Array.Fill(_bytes, -1);
        for (var id = 0; id < tokens.Count; id++)
        {
            var (spelling, kind) = tokens[id];
            if (kind == TokenKind.Byte)
            {
                _bytes[ByteTokens.Value(spelling)] = id;
            }
            else if (kind != TokenKind.Gap && !(kind == TokenKind.Text ? _text : _marks).TryAdd(spelling, id))
            {
                throw SafeLlamaException.InvalidData(
                    $"{file}: ids {(kind == TokenKind.Text ? _text : _marks)[spelling]} and {id} are both spelled "
                    + $"\"{UnicodeText.Shown(spelling)}\"; every id needs its own spelling. Download the file again.");
            }
        }

        foreach (var (spelling, id) in alsoText ?? new Dictionary<string, int>())
        {
            _text.TryAdd(spelling, id);
        }

        _textBySpan = _text.GetAlternateLookup<ReadOnlySpan<char>>();
        HasAllBytes = !_bytes.Contains(-1);
        Gaps = _kinds.Count(kind => kind == TokenKind.Gap);
    }

    /// <summary>V, the number of ids.</summary>
    public int Size => _spellings.Length;

    /// <summary>The number of ids without a token.</summary>
    public int Gaps { get; }

    /// <summary>Whether all 256 byte tokens are there, so that any text can be written.</summary>
    public bool HasAllBytes { get; }

    /// <summary>The tokens that text is made of, by spelling.</summary>
    public IReadOnlyDictionary<string, int> Text => _text;

    /// <summary>The spellings of control, added and unknown tokens.</summary>
    public IReadOnlyCollection<string> Marks => _marks.Keys;

    public string Spelling(int id) => _spellings[id];

    public TokenKind Kind(int id) => _kinds[id];

    public bool TryText(ReadOnlySpan<char> spelling, out int id) => _textBySpan.TryGetValue(spelling, out id);

    /// <summary>The id of a control, added or unknown token.</summary>
    public bool TryMark(string spelling, [NotNullWhen(true)] out int? id)
    {
        id = _marks.TryGetValue(spelling, out var found) ? found : null;
        return id is not null;
    }

    /// <summary>The id of the token for one byte; −1 where there is none.</summary>
    public int Byte(byte value) => _bytes[value];
}
