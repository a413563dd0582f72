using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace SafeLlama.Data;

/// <summary>Checks whether bytes are UTF-8 text, and names other likely encodings.</summary>
internal static class Utf8Text
{
    /// <summary>
    /// The text without its byte order mark; bytes that are not UTF-8 are named and replaced by U+FFFD.
    /// </summary>
    /// <returns>Valid UTF-8 with the same line ends; empty where nothing could be made of the file.</returns>
    public static ReadOnlyMemory<byte> Check(ReadOnlyMemory<byte> bytes, RowCollector found)
    {
        var span = bytes.Span;
        if (OtherEncoding(span) is { } other)
        {
            found.Fault(1, "", $"is {other}, expected UTF-8; convert it first (iconv -t UTF-8).");
            return default;
        }

        if (span is [0xEF, 0xBB, 0xBF, ..])
        {
            found.Note("begins with a UTF-8 byte order mark, which was passed over.");
            bytes = bytes[3..];
        }

        return Utf8.IsValid(bytes.Span) ? bytes : Replace(bytes.Span, found);
    }

    private static string? OtherEncoding(ReadOnlySpan<byte> bytes)
    {
        if (bytes is [0xFF, 0xFE, 0, 0, ..] or [0, 0, 0xFE, 0xFF, ..])
        {
            return "UTF-32 (by its byte order mark)";
        }

        if (bytes is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..])
        {
            return "UTF-16 (by its byte order mark)";
        }

        // Text in Latin letters written as UTF-16 is every other byte zero; UTF-8 text has no zeros at all.
        var start = bytes[..Math.Min(bytes.Length, 4096)];
        return start.Count((byte)0) * 4 > start.Length ? "not text, or UTF-16 without a byte order mark" : null;
    }

    private static byte[] Replace(ReadOnlySpan<byte> bytes, RowCollector found)
    {
        var whole = new ArrayBufferWriter<byte>(bytes.Length + 16);
        for (var line = 1; bytes.Length > 0; line++)
        {
            var end = bytes.IndexOf((byte)'\n');
            var current = end < 0 ? bytes : bytes[..(end + 1)];
            bytes = bytes[current.Length..];
            if (FirstInvalid(current) is var column and >= 0)
            {
                found.Fault(line, "", $"byte 0x{current[column]:X2} at column {column + 1} is not UTF-8 "
                    + "(Latin-1 or Windows-1252?); the whole file must be UTF-8.");
                whole.Write(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(current)));
            }
            else
            {
                whole.Write(current);
            }
        }

        return whole.WrittenSpan.ToArray();
    }

    /// <summary>The offset of the first byte that begins no character; −1 where all do.</summary>
    private static int FirstInvalid(ReadOnlySpan<byte> bytes)
    {
        for (var i = 0; i < bytes.Length;)
        {
            if (Rune.DecodeFromUtf8(bytes[i..], out _, out var used) != OperationStatus.Done)
            {
                return i;
            }

            i += used;
        }

        return -1;
    }
}
