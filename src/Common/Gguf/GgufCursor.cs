using System.Buffers.Binary;
using System.Text;

namespace SafeLlama.Common;

/// <summary>Reads a GGUF header from front to back, and checks every length before it is used.</summary>
internal sealed class GgufCursor(Stream stream, string path)
{
    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    private readonly byte[] _number = new byte[8];
    private readonly long _length = stream.Length;

    public long Position { get; private set; }

    public long Remaining => _length - Position;

    public uint U32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    public ulong U64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    public ReadOnlySpan<byte> Take(int count)
    {
        Fill(_number.AsSpan(0, count));
        return _number.AsSpan(0, count);
    }

    /// <summary>A string of at most <paramref name="limit"/> bytes.</summary>
    public string Text(long limit, string what)
    {
        var length = Count(minimumBytes: 1, limit, what);
        var bytes = new byte[length];
        Fill(bytes);
        try
        {
            return Utf8.GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw SafeLlamaException.InvalidData($"{path}: {what} is not UTF-8. Download the file again.", e);
        }
    }

    /// <summary>A count of items that take at least <paramref name="minimumBytes"/>.</summary>
    public int Count(int minimumBytes, long limit, string what)
    {
        var count = U64();
        if (count > (ulong)limit || count > (ulong)(Remaining / minimumBytes))
        {
            throw Wrong(
                $"{what} claims {count}, but {Remaining} bytes are left and at most {limit} are read. The file is "
                + "truncated or damaged; download it again");
        }

        return (int)count;
    }

    /// <summary>The name of a key or a tensor, which errors quote: without control characters.</summary>
    public string Name(long limit, string what) => Text(limit, what) is var name && name == Printable(name)
        ? name
        : throw Wrong($"{what} holds a control character: \"{Printable(name)}\". The file is damaged");

    public SafeLlamaException Wrong(string what) => SafeLlamaException.InvalidData($"{path}: {what}.");

    /// <summary>The text on one line: control characters become question marks.</summary>
    public static string Printable(string text) => text.Any(IsControl)
        ? string.Concat(text.Select(c => IsControl(c) ? '?' : c))
        : text;

    private static bool IsControl(char c) => char.IsControl(c) || c is '\u2028' or '\u2029';

    private void Fill(Span<byte> bytes)
    {
        if (bytes.Length > Remaining)
        {
            throw Wrong($"ends at byte {_length}, inside its header. It is truncated; download it again");
        }

        stream.ReadExactly(bytes);
        Position += bytes.Length;
    }
}
