using System.Runtime.InteropServices;
using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>Writes a checkpoint whose linears are quantized, as transformers and bitsandbytes store it.</summary>
/// <remarks>
/// One tensor is held at a time: each is quantized when its turn comes, some of them twice. What is not a linear is
/// copied byte for byte. Numbers wider than a byte stand first in the file, so that they lie evenly.
/// </remarks>
public static class QuantizedCheckpoint
{
    /// <summary>Writes <c>model.safetensors</c>, and reads it back.</summary>
    /// <returns>How many linears became quantized.</returns>
    /// <exception cref="SafeLlamaException">A tensor is missing, damaged, or cannot be quantized.</exception>
    public static int Write(string path, string source, LlamaConfig config, LoadForm form)
    {
        if (form.As is not (LoadAs.Nf4 or LoadAs.Int8))
        {
            throw SafeLlamaException.Usage(
                $"`To` {SettingText.Of(form.As)}: expected {SettingText.Of(LoadAs.Nf4)} or "
                + $"{SettingText.Of(LoadAs.Int8)}.");
        }

        QuantizedNotes.RequirePlain(config, source, "be quantized once more");
        using var files = CheckpointFiles.Open(source);
        using var host = new CpuBackend(1);
        var linears = LlamaShapes.Of(config).Where(QuantizedFormats.IsLinear).ToList();
        var names = linears.Select(shape => shape.Name).ToHashSet();
        var items = files.Tensors.Values.Where(t => !names.Contains(t.Entry.Name))
            .Select(t => SafetensorsItem.Copy(t.File, t.Entry))
            .Concat(linears.SelectMany(shape =>
            {
                var (file, entry) = LlamaWeights.Find(files, shape, host);
                return form.As == LoadAs.Nf4
                    ? Nf4Items(file, entry, form.Nested) : Int8Items(file, entry);
            })).ToList();
        SafetensorsWriter.Write(path, items, new Dictionary<string, string> { ["format"] = "pt" });
        return linears.Count;
    }

    private static IEnumerable<SafetensorsItem> Nf4Items(SafetensorsFile file, SafetensorsEntry entry, bool nests)
    {
        var (name, last) = (entry.Name, default(Nf4Matrix));
        Nf4Matrix Matrix() => last ??= QuantizedRows.ToNf4(file, entry);
        byte[] Let(Func<Nf4Matrix, byte[]> bytes)
        {
            var made = bytes(Matrix());
            last = null;
            return made;
        }

        var blocks = checked((int)((entry.Shape.Count + Nf4Format.Shared - 1) / Nf4Format.Shared));
        yield return SafetensorsItem.Raw(
            name, "U8", new(checked((int)((entry.Shape.Count + 1) / 2)), 1), () => Let(m => m.Packed));
        yield return SafetensorsItem.Raw(
            name + BitsAndBytes.Map, "F32", new(Nf4Format.Values.Length), () => Bytes(Nf4Format.Values));

        // The offset stands in the JSON, whose length the header needs before any tensor is written.
        var nested = nests ? Nf4Quantizer.Nest(Matrix().Absmax) : null;
        var state = BitsAndBytes.StateOf(entry.Shape, TypeName(entry.Type), nested);
        yield return SafetensorsItem.Raw(name + BitsAndBytes.State, "U8", new(state.Length), () => state);
        last = null;
        if (nested is null)
        {
            yield return SafetensorsItem.Raw(
                name + BitsAndBytes.Absmax, "F32", new(blocks), () => Let(m => Bytes(m.Absmax)));
            yield break;
        }

        yield return SafetensorsItem.Raw(name + BitsAndBytes.Absmax, "U8", new(blocks), () => nested.Codes);
        yield return SafetensorsItem.Raw(
            name + BitsAndBytes.NestedAbsmax, "F32", new(nested.Absmax.Length), () => Bytes(nested.Absmax));
        yield return SafetensorsItem.Raw(
            name + BitsAndBytes.NestedMap, "F32", new(DynamicMap.Values.Length), () => Bytes(DynamicMap.Values));
    }

    private static IEnumerable<SafetensorsItem> Int8Items(SafetensorsFile file, SafetensorsEntry entry)
    {
        var (rows, columns) = entry.Shape.AsMatrix();
        byte[] Part(int first, int count)
        {
            var rowBytes = columns + Int8Format.ScaleBytes;
            using var stored = new HostMemory((long)rows * rowBytes, $"tensor '{entry.Name}'");
            QuantizedRows.ToInt8(file, entry, stored);
            var bytes = new byte[(long)rows * count];
            for (var row = 0; row < rows; row++)
            {
                stored.Read(((long)row * rowBytes) + first, bytes.AsSpan(row * count, count));
            }

            return bytes;
        }

        yield return SafetensorsItem.Raw(
            entry.Name, "I8", entry.Shape, () => Part(Int8Format.ScaleBytes, columns));
        yield return SafetensorsItem.Raw(
            BitsAndBytes.BesideOf(entry.Name, BitsAndBytes.RowScales), "F32", new(rows),
            () => Part(0, Int8Format.ScaleBytes));
        yield return SafetensorsItem.Raw(
            BitsAndBytes.BesideOf(entry.Name, BitsAndBytes.RowFormat), "U8", new([]), () => [0]);
    }

    private static byte[] Bytes(ReadOnlySpan<float> values) => MemoryMarshal.AsBytes(values).ToArray();

    private static string TypeName(string stored) => stored switch
    {
        "BF16" => "bfloat16",
        "F16" => "float16",
        _ => "float32",
    };
}
