using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>The tensors by which transformers and bitsandbytes store a quantized linear.</summary>
/// <remarks>
/// NF4: <c>weight</c> U8 [n/2, 1], <c>weight.absmax</c>, <c>weight.quant_map</c> and
/// <c>weight.quant_state.bitsandbytes__nf4</c>, the bytes of a JSON object; nested also <c>weight.nested_absmax</c> and
/// <c>weight.nested_quant_map</c>, with the absmax in U8. int8: <c>weight</c> I8 [out, in], <c>SCB</c>, the rows'
/// absmax, and <c>weight_format</c>, 0.
/// </remarks>
internal static class BitsAndBytes
{
    public const string Absmax = ".absmax";
    public const string Map = ".quant_map";
    public const string NestedAbsmax = ".nested_absmax";
    public const string NestedMap = ".nested_quant_map";
    public const string State = ".quant_state.bitsandbytes__nf4";
    public const string RowScales = "SCB";
    public const string RowFormat = "weight_format";

    /// <summary>Whether a weight is stored quantized.</summary>
    public static bool IsQuantized(CheckpointFiles files, string weight) =>
        files.Tensors.ContainsKey(weight + State) || files.Tensors.ContainsKey(BesideOf(weight, RowScales));

    /// <summary>Whether a tensor belongs to a quantized weight.</summary>
    public static bool IsPart(string name, IReadOnlySet<string> weights) =>
        Owner(name) is { } owner && weights.Contains(owner);

    /// <summary>The name of a tensor that stands beside a module's weight.</summary>
    public static string BesideOf(string weight, string name) => weight[..(weight.LastIndexOf('.') + 1)] + name;

    /// <summary>Reads a weight in NF4.</summary>
    /// <exception cref="SafeLlamaException">A part is missing, misshapen, or of another form.</exception>
    public static Nf4Matrix ReadNf4(CheckpointFiles files, WeightShape expected)
    {
        var name = expected.Name;
        var count = expected.Shape.Count;
        var blocks = checked((int)((count + Nf4Format.Shared - 1) / Nf4Format.Shared));
        var (file, state) = Find(files, name + State, "U8");
        var fields = Fields(file, state);
        Require(fields.QuantType == "nf4" && fields.BlockSize == Nf4Format.Shared
            && fields.Shape.SequenceEqual(expected.Shape.Dimensions.ToArray()), file, state.Name,
            $"describes {fields}, expected nf4 in blocks of {Nf4Format.Shared} of {expected.Shape}");
        Require(Floats(files, name + Map).AsSpan().SequenceEqual(Nf4Format.Values), file, name + Map,
            "holds other values than NF4's sixteen");
        var packed = Bytes(files, name, "U8", (count + 1) / 2);
        if (fields.NestedOffset is not { } offset)
        {
            return new(packed, Finite(file, name + Absmax, Floats(files, name + Absmax, blocks)));
        }

        Require(fields.NestedBlockSize == Nf4Quantizer.NestedBlock, file, state.Name,
            $"has nested blocks of {fields.NestedBlockSize}, expected {Nf4Quantizer.NestedBlock}");
        var nested = new NestedAbsmax(
            Bytes(files, name + Absmax, "U8", blocks),
            Floats(files, name + NestedAbsmax, (blocks + Nf4Quantizer.NestedBlock - 1) / Nf4Quantizer.NestedBlock),
            offset);
        var absmax = Nf4Quantizer.Unnest(nested, Floats(files, name + NestedMap, DynamicMap.Values.Length));
        return new(packed, Finite(file, name + NestedAbsmax, absmax));
    }

    /// <summary>Reads a weight of bytes into rows of <see cref="Int8Format"/>.</summary>
    public static void ReadInt8(CheckpointFiles files, WeightShape expected, HostMemory rows)
    {
        var (count, columns) = expected.Shape.AsMatrix();
        var (file, entry) = Find(files, expected.Name, "I8");
        Require(entry.Shape == expected.Shape, file, entry.Name,
            $"has shape {entry.Shape}, expected {expected.Shape} by config.json");
        if (files.Tensors.TryGetValue(BesideOf(expected.Name, RowFormat), out var order))
        {
            Require(order.File.Bytes(order.Entry) is [0], order.File, order.Entry.Name,
                "names an order of elements other than 0, row by row");
        }

        var name = BesideOf(expected.Name, RowScales);
        var scales = Finite(file, name, Floats(files, name, count));
        var codes = file.Bytes(entry);
        var scale = new byte[Int8Format.ScaleBytes];
        for (var row = 0; row < count; row++)
        {
            var at = (long)row * (columns + Int8Format.ScaleBytes);
            BinaryPrimitives.WriteSingleLittleEndian(scale, scales[row]);
            rows.Write(at, scale);
            rows.Write(at + Int8Format.ScaleBytes, codes.Slice(row * columns, columns));
        }
    }

    /// <summary>The JSON of a quant state.</summary>
    public static byte[] StateOf(Shape shape, string type, NestedAbsmax? nested)
    {
        var fields = new Dictionary<string, object>
        {
            ["quant_type"] = "nf4",
            ["blocksize"] = Nf4Format.Shared,
            ["dtype"] = type,
            ["shape"] = shape.Dimensions.ToArray(),
        };
        if (nested is not null)
        {
            fields["nested_blocksize"] = Nf4Quantizer.NestedBlock;
            fields["nested_dtype"] = "float32";
            fields["nested_offset"] = (double)nested.Offset;
        }

        return JsonSerializer.SerializeToUtf8Bytes(fields);
    }

    private static string? Owner(string name)
    {
        foreach (var suffix in (string[])[NestedAbsmax, NestedMap, Absmax, Map, State])
        {
            if (name.EndsWith(suffix, StringComparison.Ordinal))
            {
                return name[..^suffix.Length];
            }
        }

        var last = name[(name.LastIndexOf('.') + 1)..];
        return last is RowScales or RowFormat ? BesideOf(name, "weight") : null;
    }

    private static StateFields Fields(SafetensorsFile file, SafetensorsEntry entry)
    {
        try
        {
            using var json = JsonDocument.Parse(file.Bytes(entry).ToArray());
            var root = json.RootElement;
            return new(
                root.GetProperty("quant_type").GetString(),
                root.GetProperty("blocksize").GetInt32(),
                [.. root.GetProperty("shape").EnumerateArray().Select(d => d.GetInt32())],
                root.TryGetProperty("nested_offset", out var offset) ? offset.GetSingle() : null,
                root.TryGetProperty("nested_blocksize", out var size) ? size.GetInt32() : null);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException
            or FormatException)
        {
            throw SafeLlamaException.InvalidData(
                $"{file.Path}: tensor '{entry.Name}' is not the JSON of a quant state.", e);
        }
    }

    private static float[] Floats(CheckpointFiles files, string name, int? count = null)
    {
        var (file, entry) = Find(files, name, "F32");
        Require(count is null || entry.Shape.Count == count, file, name,
            $"has {entry.Shape.Count} values, expected {count}");
        return MemoryMarshal.Cast<byte, float>(file.Bytes(entry).ToArray()).ToArray();
    }

    private static byte[] Bytes(CheckpointFiles files, string name, string type, long count)
    {
        var (file, entry) = Find(files, name, type);
        Require(entry.ByteCount == count, file, name, $"has {entry.ByteCount} bytes, expected {count}");
        return file.Bytes(entry).ToArray();
    }

    private static (SafetensorsFile File, SafetensorsEntry Entry) Find(CheckpointFiles files, string name, string type)
    {
        if (!files.Tensors.TryGetValue(name, out var found))
        {
            throw SafeLlamaException.InvalidData(
                $"{files.Folder}: tensor '{name}' is missing, which a linear quantized by bitsandbytes has.");
        }

        Require(found.Entry.Type == type, found.File, name, $"stores {found.Entry.Type}, expected {type}");
        return found;
    }

    private static float[] Finite(SafetensorsFile file, string name, float[] values)
    {
        var at = Array.FindIndex(values, value => !float.IsFinite(value));
        Require(at < 0, file, name, $"gives a scale that is not finite for block {at}: the checkpoint is damaged");
        return values;
    }

    private static void Require(bool fine, SafetensorsFile file, string name, string fault)
    {
        if (!fine)
        {
            throw SafeLlamaException.InvalidData($"{file.Path}: tensor '{name}' {fault}.");
        }
    }

    private sealed record StateFields(
        string? QuantType, int BlockSize, int[] Shape, float? NestedOffset, int? NestedBlockSize)
    {
        public override string ToString() => $"{QuantType} in blocks of {BlockSize} of [{string.Join(", ", Shape)}]";
    }
}
