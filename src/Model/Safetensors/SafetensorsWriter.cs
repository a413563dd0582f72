using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>
/// One tensor to write, produced in parts on demand, so that no second copy of a model exists and a tensor may be
/// larger than an array.
/// </summary>
public sealed record SafetensorsItem(string Name, DType Type, Shape Shape, Func<IEnumerable<byte[]>> Parts)
{
    /// <summary>
    /// The tensor of a file that is written as it is stored, whatever its type; null for one of ours.
    /// </summary>
    internal SafetensorsEntry? Stored { get; private init; }

    /// <summary>Elements of one byte stand last, or wider ones behind them would begin anywhere.</summary>
    internal bool IsBytes => Stored?.Type is "U8" or "I8";

    internal long ByteCount => Stored?.ByteCount ?? WeightFormat.Of(Type).Bytes(Shape);

    /// <summary>A tensor of another file, byte for byte.</summary>
    public static SafetensorsItem Copy(SafetensorsFile file, SafetensorsEntry entry) =>
        new(entry.Name, DType.Int32, entry.Shape, () => file.Parts(entry)) { Stored = entry };

    /// <summary>A tensor of any type the format knows, its bytes given.</summary>
    /// <param name="type">As the format spells it: <c>U8</c>.</param>
    internal static SafetensorsItem Raw(string name, string type, Shape shape, Func<byte[]> bytes)
    {
        var size = type == "F32" ? sizeof(float) : 1;
        return new(name, DType.Int32, shape, () => [bytes()])
        {
            Stored = new SafetensorsEntry(name, type, shape, 0, shape.Count * size),
        };
    }

    /// <summary>A tensor as it is, rounded to <paramref name="type"/>.</summary>
    public static SafetensorsItem Of(string name, Tensor tensor, DType type) =>
        new(name, type, tensor.Shape, () => RowsOf(tensor).Select(part => Rounded(part.Rows.ReadDoubles(), type)));

    /// <summary>The tensor's rows, a few at a time, each part with the number of its first row.</summary>
    internal static IEnumerable<(int First, Tensor Rows)> RowsOf(Tensor tensor)
    {
        const int Elements = 1 << 20;
        var rows = Math.Max(1, Elements / Math.Max(1, tensor.Columns));
        for (var first = 0; first < tensor.Rows; first += rows)
        {
            yield return (first, tensor.Slice(first, Math.Min(rows, tensor.Rows - first)));
        }
    }

    internal static byte[] Rounded(double[] values, DType type)
    {
        var bytes = new byte[values.Length * type.Size()];
        TensorConvert.FromDoubles(values, type, bytes);
        return bytes;
    }
}

/// <summary>
/// Writes a safetensors file whole or not at all, in order of name, so equal contents give equal bytes; tensors of
/// bytes follow the others.
/// </summary>
public static class SafetensorsWriter
{
    /// <param name="accept">Called when everything is written and read back; if it throws, no file remains.</param>
    public static void Write(
        string path,
        IEnumerable<SafetensorsItem> items,
        IReadOnlyDictionary<string, string>? metadata = null,
        Action? accept = null)
    {
        var ordered = items.OrderBy(i => i.IsBytes).ThenBy(i => i.Name, StringComparer.Ordinal).ToList();
        var header = Header(ordered, metadata);
        var hashes = new Dictionary<string, byte[]>();
        OutputFile.Write(
            path,
            stream =>
            {
                var length = new byte[8];
                BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
                stream.Write(length);
                stream.Write(header);
                foreach (var item in ordered)
                {
                    hashes[item.Name] = WriteParts(stream, item);
                }
            },
            written =>
            {
                Verify(written, path, hashes);
                accept?.Invoke();
            });
    }

    /// <summary>Writes a whole tensor; returns the hash of its bytes.</summary>
    private static byte[] WriteParts(Stream stream, SafetensorsItem item)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in item.Parts())
        {
            hash.AppendData(part);
            stream.Write(part);
        }

        return hash.GetHashAndReset();
    }

    /// <summary>Reads back: same names, same bytes.</summary>
    private static void Verify(string written, string path, Dictionary<string, byte[]> hashes)
    {
        using var file = SafetensorsFile.Open(written);
        foreach (var (name, hash) in hashes)
        {
            if (!file.Entries.TryGetValue(name, out var entry) || !file.HashOf(entry).AsSpan().SequenceEqual(hash))
            {
                throw new IOException($"tensor '{name}' read back from {path} differs from what was written.");
            }
        }
    }

    private static byte[] Header(List<SafetensorsItem> items, IReadOnlyDictionary<string, string>? metadata)
    {
        var json = new JsonObject();
        if (metadata is not null)
        {
            json["__metadata__"] = new JsonObject(metadata.Select(m => KeyValuePair.Create(m.Key, (JsonNode?)m.Value)));
        }

        var offset = 0L;
        foreach (var item in items)
        {
            var end = offset + item.ByteCount;
            json[item.Name] = new JsonObject
            {
                ["dtype"] = item.Stored?.Type ?? item.Type switch
                {
                    DType.Float64 => "F64",
                    DType.Float32 => "F32",
                    DType.Float16 => "F16",
                    DType.BFloat16 => "BF16",
                    _ => "I32",
                },
                ["shape"] = new JsonArray([.. item.Shape.Dimensions.ToArray().Select(d => (JsonNode)d)]),
                ["data_offsets"] = new JsonArray(offset, end),
            };
            offset = end;
        }

        // Data begin at a multiple of 8 bytes, so that a mapped file can be read as numbers; the format allows spaces.
        var text = JsonSerializer.SerializeToUtf8Bytes(json);
        var padded = new byte[(text.Length + 7) / 8 * 8];
        Array.Fill(padded, (byte)' ');
        text.CopyTo(padded, 0);
        return padded;
    }
}
