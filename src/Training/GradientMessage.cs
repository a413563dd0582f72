using System.Runtime.InteropServices;
using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Training;

/// <summary>What ranks exchange in a step: the bytes of tensors, one behind the other, then Float64 totals.</summary>
internal static class GradientMessage
{
    /// <summary>The bytes of the tensors.</summary>
    /// <exception cref="SafeLlamaException">The gradients are more than one message can hold.</exception>
    public static long LengthOf(Tensor[] gradients)
    {
        const long Most = 2_000_000_000;
        var bytes = gradients.Sum(g => g.ByteCount);
        return bytes <= Most ? bytes : throw SafeLlamaException.DoesNotFit(
            $"The gradients have {bytes / 1e9:F1} GB, and ranks exchange at most {Most / 1e9:F0} GB a step.",
            "train an adapter instead of all weights: leave out `Full`");
    }

    /// <summary>Tensors and totals to bytes.</summary>
    public static void Write(Span<byte> bytes, Tensor[] tensors, Span<double> totals)
    {
        foreach (var tensor in tensors)
        {
            tensor.Storage.Read(tensor.ByteOffset, bytes[..(int)tensor.ByteCount]);
            bytes = bytes[(int)tensor.ByteCount..];
        }

        MemoryMarshal.AsBytes(totals).CopyTo(bytes);
    }

    /// <summary>Totals are added to those that are known: each rank knows its own.</summary>
    public static void Read(ReadOnlySpan<byte> bytes, Tensor[] tensors, Span<double> totals)
    {
        foreach (var tensor in tensors)
        {
            tensor.Storage.Write(tensor.ByteOffset, bytes[..(int)tensor.ByteCount]);
            bytes = bytes[(int)tensor.ByteCount..];
        }

        Add(bytes, totals);
    }

    private static void Add(ReadOnlySpan<byte> bytes, Span<double> totals)
    {
        var other = MemoryMarshal.Cast<byte, double>(bytes);
        for (var i = 0; i < totals.Length; i++)
        {
            totals[i] += other[i];
        }
    }
}
