using System.Runtime.InteropServices;
using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests.Quantized;

/// <summary>Weights of normal numbers in every format of blocks.</summary>
internal static class BlockWeights
{
    /// <summary>A weight's bytes in memory of the host.</summary>
    public static HostMemory Of(string name, int rows, int columns, out WeightFormat format)
    {
        var values = Array.ConvertAll(TinyLlama.Normal(rows * columns, seed: 6), value => (float)value);
        (format, var bytes) = Stored(name, values, columns);
        var memory = new HostMemory(bytes.Length, "blocks");
        memory.Write(0, bytes);
        return memory;
    }

    /// <summary>Values in a format by its name, and their bytes.</summary>
    public static (WeightFormat Format, byte[] Bytes) Stored(string format, float[] values, int columns)
    {
        if (Enum.TryParse<GgufType>(format, out var type))
        {
            var bytes = new byte[type.ByteCount(values.Length)];
            GgufBlocks.Encode(type, values, bytes);
            return (GgufBlockFormat.Of(type), bytes);
        }

        var shape = new Shape(values.Length / columns, columns);
        if (format.StartsWith("NF4", StringComparison.Ordinal))
        {
            var (packed, absmax) = (new byte[values.Length / 2], new float[values.Length / 64]);
            Nf4Quantizer.Quantize(values, packed, absmax);
            var nf4 = Nf4Format.Of(columns);
            var rows = new byte[nf4.Bytes(shape)];
            nf4.Pack(packed, absmax, rows);
            return (nf4, rows);
        }

        var int8 = new Int8Format(columns, threshold: null);
        var stored = new byte[int8.Bytes(shape)];
        for (var row = 0; row < shape[0]; row++)
        {
            var numbers = row * columns;
            var to = stored.AsSpan(row * int8.BlockBytes, int8.BlockBytes);
            var most = Int8Quantizer.Absmax(values.AsSpan(numbers, columns));
            BitConverter.TryWriteBytes(to, most);
            Int8Quantizer.Quantize(
                values.AsSpan(numbers, columns), most,
                MemoryMarshal.Cast<byte, sbyte>(to[Int8Format.ScaleBytes..]));
        }

        return (int8, stored);
    }
}
