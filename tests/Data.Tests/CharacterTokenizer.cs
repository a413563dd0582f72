using System.Text;

namespace SafeLlama.Data.Tests;

/// <summary>
/// The smallest tokenizer there is: one id per UTF-8 byte, and a handful of control tokens behind them.
/// </summary>
internal sealed class CharacterTokenizer(params string[] controls) : ITokenizer
{
    public const int Bos = 256;
    public const int Eos = 257;

    public int VocabularySize => 258 + controls.Length;

    public int? BosId => Bos;

    public int EosId => Eos;

    public string Hash => "bytes";

    public IReadOnlyList<int> Encode(string text) => [.. Encoding.UTF8.GetBytes(text).Select(b => (int)b)];

    public string Decode(ReadOnlySpan<int> ids, bool keepControl = false)
    {
        var bytes = new List<byte>();
        foreach (var id in ids)
        {
            if (id < 256)
            {
                bytes.Add((byte)id);
            }
            else if (keepControl)
            {
                bytes.AddRange(
                    Encoding.UTF8.GetBytes(id switch { Bos => "<s>", Eos => "</s>", _ => controls[id - 258] }));
            }
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }

    public IIncrementalDecoder StartDecoding() => new ByteDecoder();

    public IReadOnlyCollection<string> ControlTokens => ["<s>", "</s>", .. controls];

    public int? ControlId(string token) => token switch
    {
        "<s>" => Bos,
        "</s>" => Eos,
        _ => Array.IndexOf(controls, token) is var index and >= 0 ? 258 + index : null,
    };

    private sealed class ByteDecoder : IIncrementalDecoder
    {
        private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();

        public string Append(int id)
        {
            var characters = new char[4];
            return id > 255 ? "" : new string(characters, 0, _decoder.GetChars([(byte)id], characters, flush: false));
        }

        public string Finish() => "";
    }
}
