using System.Buffers;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace SafeLlama.Kernels;

/// <summary>Converts stored bytes to doubles and back, on the host.</summary>
public static class TensorConvert
{
    /// <summary>Decodes a stored row: elements exactly, blocks to the fp32 numbers they stand for.</summary>
    public static void ToDoubles(ReadOnlySpan<byte> row, WeightFormat format, Span<double> values)
    {
        if (format.Type != DType.Blocks)
        {
            ToDoubles(row, format.Type, values);
            return;
        }

        var floats = ArrayPool<float>.Shared.Rent(values.Length);
        format.Decode(row, 0, floats.AsSpan(0, values.Length));
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = floats[i];
        }

        ArrayPool<float>.Shared.Return(floats);
    }

    /// <summary>Widens each stored element, exactly.</summary>
    public static void ToDoubles(ReadOnlySpan<byte> bytes, DType type, Span<double> values)
    {
        switch (type)
        {
            case DType.Float64:
                MemoryMarshal.Cast<byte, double>(bytes).CopyTo(values);
                break;
            case DType.Float32:
                Widen(MemoryMarshal.Cast<byte, float>(bytes), values);
                break;
            case DType.BFloat16:
                var brains = MemoryMarshal.Cast<byte, ushort>(bytes);
                for (var i = 0; i < values.Length; i++)
                {
                    values[i] = DTypes.WidenBFloat16(brains[i]);
                }

                break;
            case DType.Float16:
                var halves = MemoryMarshal.Cast<byte, Half>(bytes);
                for (var i = 0; i < values.Length; i++)
                {
                    values[i] = (double)halves[i];
                }

                break;
            case DType.Int32:
                var ints = MemoryMarshal.Cast<byte, int>(bytes);
                for (var i = 0; i < values.Length; i++)
                {
                    values[i] = ints[i];
                }

                break;
        }
    }

    /// <summary>Each float as a double; a row of logits is long enough for vectors to matter.</summary>
    private static void Widen(ReadOnlySpan<float> floats, Span<double> values)
    {
        var from = MemoryMarshal.Cast<float, Vector256<float>>(floats[..values.Length]);
        var to = MemoryMarshal.Cast<double, Vector256<double>>(values);
        for (var i = 0; i < from.Length; i++)
        {
            (to[2 * i], to[(2 * i) + 1]) = Vector256.Widen(from[i]);
        }

        for (var i = from.Length * Vector256<float>.Count; i < values.Length; i++)
        {
            values[i] = floats[i];
        }
    }

    /// <summary>Rounds each value to the stored type.</summary>
    public static void FromDoubles(ReadOnlySpan<double> values, DType type, Span<byte> bytes)
    {
        switch (type)
        {
            case DType.Float64:
                values.CopyTo(MemoryMarshal.Cast<byte, double>(bytes));
                break;
            case DType.Float32:
                var floats = MemoryMarshal.Cast<byte, float>(bytes);
                for (var i = 0; i < values.Length; i++)
                {
                    floats[i] = (float)values[i];
                }

                break;
            case DType.BFloat16:
                var brains = MemoryMarshal.Cast<byte, ushort>(bytes);
                for (var i = 0; i < values.Length; i++)
                {
                    brains[i] = DTypes.NarrowBFloat16(RoundToOdd(values[i]));
                }

                break;
            case DType.Float16:
                var halves = MemoryMarshal.Cast<byte, Half>(bytes);
                for (var i = 0; i < values.Length; i++)
                {
                    halves[i] = (Half)values[i];
                }

                break;
            case DType.Int32:
                var ints = MemoryMarshal.Cast<byte, int>(bytes);
                for (var i = 0; i < values.Length; i++)
                {
                    ints[i] = (int)values[i];
                }

                break;
            default:
                throw new ArgumentException(
                    $"Numbers are not rounded to {type}: they are written in F32, F16 or BF16.");
        }
    }

    /// <summary>
    /// The nearest float whose last bit is set where <paramref name="value"/> is not a float itself: rounded again to
    /// fewer bits, it gives what rounding once would have given (Boldo and Melquiond 2008, "Emulation of a FMA").
    /// </summary>
    private static float RoundToOdd(double value)
    {
        var nearest = (float)value;
        if (nearest == value || float.IsNaN(nearest))
        {
            return nearest;
        }

        var bits = BitConverter.SingleToInt32Bits(nearest);
        var towardsZero = Math.Abs((double)nearest) > Math.Abs(value) ? bits - 1 : bits;
        return BitConverter.Int32BitsToSingle(towardsZero | 1);
    }
}
