using System.Runtime.InteropServices;
using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Benchmarks;

/// <summary>
/// A checkpoint of drawn weights, written once to the temporary folder and mapped from there like any other.
/// </summary>
internal static class RandomModel
{
    /// <summary>Numbers that are drawn for one weight.</summary>
    private const long Drawn = 1 << 24;

    /// <returns>A folder that <see cref="LlamaWeights.Load"/> reads.</returns>
    public static string Folder(ModelShape shape, DType type) =>
        Folder($"{shape.Name}-{type}", LlamaShapes.Of(shape.Config), type);

    /// <returns>A GGUF file of the same weights, its blocks as a user's export has them.</returns>
    public static string File(ModelShape shape, GgufFormat format)
    {
        var folder = Folder(shape, DType.BFloat16);
        var file = Path.Combine(folder, $"{format}.gguf");
        if (!System.IO.File.Exists(file))
        {
            using var backend = new CpuBackend(1);
            using var weights = LlamaWeights.Load(backend, shape.Config, folder);
            new GgufModel(weights, null, shape.Name, format, [("tokenizer.ggml.model", "none")], 1).Write(file);
        }

        return file;
    }

    /// <returns>A folder that <see cref="EncoderWeights.Load"/> reads, fp32.</returns>
    public static string Folder(EncoderConfig config) =>
        Folder($"encoder-{config.Layers}-{config.HiddenSize}", EncoderShapes.Of(config), DType.Float32);

    private static string Folder(string name, IEnumerable<WeightShape> shapes, DType type)
    {
        var folder = Path.Combine(Path.GetTempPath(), "safellama-benchmarks", name);
        var file = Path.Combine(folder, "model.safetensors");
        if (!System.IO.File.Exists(file))
        {
            Directory.CreateDirectory(folder);
            SafetensorsWriter.Write(file, shapes.Select(weight => new SafetensorsItem(
                weight.Name, type, weight.Shape, () => [Draw(weight, type)])));
        }

        return folder;
    }

    /// <summary>Uniform numbers with the spread that models are initialized with; norms are one.</summary>
    private static byte[] Draw(WeightShape weight, DType type)
    {
        var stream = Philox.Stream(1, weight.Name);
        var bytes = new byte[weight.Shape.Count * type.Size()];
        var drawn = Math.Min(weight.Shape.Count, Drawn);
        for (var i = 0; i < drawn; i++)
        {
            var value = weight.Role == WeightRole.Norm ? 1f : 0.07f * (stream.UInt32(i) * (1f / uint.MaxValue) - 0.5f);
            if (type == DType.Float32)
            {
                MemoryMarshal.Write(bytes.AsSpan(i * 4), value);
            }
            else
            {
                MemoryMarshal.Write(bytes.AsSpan(i * 2), DTypes.NarrowBFloat16(value));
            }
        }

        // What a large weight holds is nothing to the time: it repeats, or drawing 7 billion would take longer than
        // measuring.
        for (var at = drawn * type.Size(); at < bytes.Length; at += drawn * type.Size())
        {
            var count = (int)Math.Min(bytes.Length - at, drawn * type.Size());
            bytes.AsSpan(0, count).CopyTo(bytes.AsSpan((int)at));
        }

        return bytes;
    }
}
