using System.Runtime.InteropServices;
using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>A tensor of a checkpoint, quantized as it is read.</summary>
internal static class QuantizedRows
{
    /// <summary>Elements read at a time: whole blocks of NF4.</summary>
    private const int PartElements = 1 << 20;

    private const float LargestHalf = 65504;

    /// <summary>To NF4.</summary>
    public static Nf4Matrix ToNf4(SafetensorsFile file, SafetensorsEntry entry)
    {
        var count = checked((int)entry.Shape.Count);
        var matrix = new Nf4Matrix(
            new byte[(count + 1) / 2], new float[(count + Nf4Format.Shared - 1) / Nf4Format.Shared]);
        StoredRowsReader.Read(file, entry, PartElements, (first, values, length) => Nf4Quantizer.Quantize(
            values.AsSpan(0, length),
            matrix.Packed.AsSpan((int)(first / 2)),
            matrix.Absmax.AsSpan((int)(first / Nf4Format.Shared), (length + Nf4Format.Shared - 1) / Nf4Format.Shared)));
        return matrix;
    }

    /// <summary>To rows of <see cref="Int8Format"/>.</summary>
    /// <exception cref="SafeLlamaException">A value is beyond fp16, through which int8 passes.</exception>
    public static void ToInt8(SafetensorsFile file, SafetensorsEntry entry, HostMemory rows)
    {
        var columns = entry.Shape.AsMatrix().Columns;
        var buffer = new byte[columns + Int8Format.ScaleBytes];
        StoredRowsReader.Read(file, entry, Math.Max(1, PartElements / columns) * columns, (first, values, length) =>
        {
            for (var at = 0; at < length; at += columns)
            {
                var row = (first + at) / columns;
                var numbers = values.AsSpan(at, columns);
                Int8Quantizer.RoundToHalf(numbers, numbers);
                var most = Int8Quantizer.Absmax(numbers);
                if (numbers.ContainsAnyExceptInRange(-LargestHalf, LargestHalf))
                {
                    throw SafeLlamaException.InvalidData(
                        $"{file.Path}: tensor '{entry.Name}' holds a value beyond 65,504 in row {row}, and int8 passes "
                        + "through fp16. Quantize it to nf4 instead.");
                }

                Int8Quantizer.Quantize(
                    numbers, most, MemoryMarshal.Cast<byte, sbyte>(buffer.AsSpan(Int8Format.ScaleBytes)));
                MemoryMarshal.Write(buffer, most);
                rows.Write(row * buffer.Length, buffer);
            }
        });
    }
}
