using System.Buffers;
using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>The elements of a checkpoint's tensor as floats, a part at a time, read beside the mapped pages.</summary>
/// <remarks>
/// Pages of a mapped file that were touched count as memory of the process. A tensor that is only passed through is
/// read with ordinary reads, so that a quantized model takes no more than itself and this reader's buffers.
/// </remarks>
internal static class StoredRowsReader
{
    /// <summary>Gives the elements in order.</summary>
    /// <param name="part">The most elements at a time.</param>
    /// <param name="next">Takes the first element's place and the elements.</param>
    /// <exception cref="SafeLlamaException">A value is not finite, or the file cannot be read.</exception>
    public static void Read(SafetensorsFile file, SafetensorsEntry entry, int part, Action<long, float[], int> next)
    {
        var type = file.WeightType(entry);
        if (type == DType.Float64)
        {
            throw SafeLlamaException.InvalidData(
                $"{file.Path}: tensor '{entry.Name}' stores F64, expected F32, F16 or BF16 to quantize.");
        }

        var format = WeightFormat.Of(type);
        var size = type.Size();
        var bytes = ArrayPool<byte>.Shared.Rent(part * size);
        var values = new float[part];
        try
        {
            using var handle = File.OpenHandle(file.Path);
            for (var first = 0L; first < entry.Shape.Count; first += part)
            {
                var count = (int)Math.Min(part, entry.Shape.Count - first);
                var span = bytes.AsSpan(0, count * size);
                ReadWhole(handle, span, entry.Offset + (first * size), file.Path);
                if (NonFinite.First(span, type) is { } place)
                {
                    throw SafeLlamaException.InvalidData(
                        $"{file.Path}: tensor '{entry.Name}' holds a value that is not finite at element "
                        + $"{first + place}. The checkpoint is damaged.");
                }

                format.Decode(span, 0, values.AsSpan(0, count));
                next(first, values, count);
            }
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            throw SafeLlamaException.Failure($"{file.Path}: cannot be read: {FileErrors.Reason(e, file.Path)}", e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private static void ReadWhole(
        Microsoft.Win32.SafeHandles.SafeFileHandle handle, Span<byte> to, long at, string path)
    {
        while (to.Length > 0)
        {
            var read = RandomAccess.Read(handle, to, at);
            if (read == 0)
            {
                throw SafeLlamaException.InvalidData($"{path}: became shorter while it was read.");
            }

            to = to[read..];
            at += read;
        }
    }
}
