using System.Security.Cryptography;
using System.Text;
using SafeLlama.Common;

namespace SafeLlama.Model;

/// <summary>
/// Writes a GGUF file (version 3) whole or not at all: tensors pass through in parts, and the file is read back.
/// </summary>
public static class GgufWriter
{
    /// <param name="keys">
    /// In order; values are uint, int, float, bool, string, or arrays of string, float and int.
    /// </param>
    /// <param name="items">In the order of their data.</param>
    public static void Write(
        string path, IReadOnlyList<(string Key, object Value)> keys, IReadOnlyList<GgufItem> items)
    {
        var hashes = new List<byte[]>();
        OutputFile.Write(
            path,
            stream =>
            {
                var header = Header(keys, items);
                stream.Write(header);
                Pad(stream, header.Length);
                foreach (var item in items)
                {
                    hashes.Add(WriteParts(stream, item));
                    Pad(stream, item.ByteCount);
                }
            },
            written => Verify(written, path, items, hashes));
    }

    private static byte[] Header(IReadOnlyList<(string Key, object Value)> keys, IReadOnlyList<GgufItem> items)
    {
        using var buffer = new MemoryStream();
        using var writer = new BinaryWriter(buffer, Encoding.UTF8);
        writer.Write("GGUF"u8);
        writer.Write(3u);
        writer.Write((ulong)items.Count);
        writer.Write((ulong)keys.Count);
        foreach (var (key, value) in keys)
        {
            WriteText(writer, key);
            WriteValue(writer, key, value);
        }

        var offset = 0L;
        foreach (var item in items)
        {
            WriteText(writer, item.Name);
            writer.Write((uint)item.Dimensions.Count);
            foreach (var size in item.Dimensions.Reverse())
            {
                writer.Write((ulong)size);
            }

            writer.Write((uint)item.Type);
            writer.Write((ulong)offset);
            offset += Padded(item.ByteCount);
        }

        writer.Flush();
        return buffer.ToArray();
    }

    private static void WriteValue(BinaryWriter to, string key, object value)
    {
        switch (value)
        {
            case uint number: to.Write(GgufValueType.U32); to.Write(number); break;
            case int number: to.Write(GgufValueType.I32); to.Write(number); break;
            case float number: to.Write(GgufValueType.F32); to.Write(number); break;
            case bool flag: to.Write(GgufValueType.Bool); to.Write(flag); break;
            case string text: to.Write(GgufValueType.Text); WriteText(to, text); break;
            case string[] texts: WriteArray(to, GgufValueType.Text, texts, text => WriteText(to, text)); break;
            case float[] numbers: WriteArray(to, GgufValueType.F32, numbers, to.Write); break;
            case int[] numbers: WriteArray(to, GgufValueType.I32, numbers, to.Write); break;
            default: throw new ArgumentException($"Key '{key}' is a {value.GetType().Name}, which is not written.");
        }
    }

    private static void WriteArray<T>(BinaryWriter to, uint type, T[] values, Action<T> write)
    {
        to.Write(GgufValueType.Array);
        to.Write(type);
        to.Write((ulong)values.Length);
        Array.ForEach(values, write);
    }

    private static void WriteText(BinaryWriter to, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        to.Write((ulong)bytes.Length);
        to.Write(bytes);
    }

    /// <summary>Writes a whole tensor; returns the hash of its bytes.</summary>
    private static byte[] WriteParts(Stream stream, GgufItem item)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var written = 0L;
        foreach (var part in item.Parts())
        {
            hash.AppendData(part);
            stream.Write(part);
            written += part.Length;
        }

        return written == item.ByteCount ? hash.GetHashAndReset() : throw new InvalidOperationException(
            $"Tensor '{item.Name}' gave {written} bytes, expected {item.ByteCount}.");
    }

    /// <summary>Reads back: the reader allows the header, and every tensor has the bytes that were written.</summary>
    private static void Verify(string written, string path, IReadOnlyList<GgufItem> items, List<byte[]> hashes)
    {
        using var file = GgufFile.Open(written);
        foreach (var (item, hash) in items.Zip(hashes))
        {
            if (!file.Header.Tensors.TryGetValue(item.Name, out var tensor)
                || tensor.Type != item.Type
                || !tensor.Dimensions.SequenceEqual(item.Dimensions)
                || !file.HashOf(tensor).AsSpan().SequenceEqual(hash))
            {
                throw new IOException($"tensor '{item.Name}' read back from {path} differs from what was written.");
            }
        }
    }

    private static void Pad(Stream stream, long written) => stream.Write(new byte[Padded(written) - written]);

    private static long Padded(long bytes) =>
        (bytes + GgufHeader.DefaultAlignment - 1) / GgufHeader.DefaultAlignment * GgufHeader.DefaultAlignment;
}
