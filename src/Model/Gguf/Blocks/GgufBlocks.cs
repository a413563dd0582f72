using System.Runtime.InteropServices;
using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>Converts values to the stored forms of GGUF and back. Each row is divided into blocks on its own.</summary>
/// <remarks>
/// Arithmetic is fp32 in the order of ggml's reference quantizers, so that equal values give equal bytes
/// (https://github.com/ggml-org/llama.cpp, ggml-quants.c).
/// </remarks>
public static class GgufBlocks
{
    /// <summary>Stores values; their number is a multiple of the block's.</summary>
    public static void Encode(GgufType type, ReadOnlySpan<float> values, Span<byte> bytes)
    {
        switch (type)
        {
            case GgufType.F32:
                MemoryMarshal.AsBytes(values).CopyTo(bytes);
                return;
            case GgufType.F16:
                var halves = MemoryMarshal.Cast<byte, Half>(bytes);
                for (var i = 0; i < values.Length; i++)
                {
                    halves[i] = (Half)values[i];
                }

                return;
            case GgufType.BF16:
                var brains = MemoryMarshal.Cast<byte, ushort>(bytes);
                for (var i = 0; i < values.Length; i++)
                {
                    brains[i] = DTypes.NarrowBFloat16(values[i]);
                }

                return;
        }

        var (count, size) = (type.BlockValues(), type.BlockBytes());
        for (var block = 0; block < values.Length / count; block++)
        {
            var from = values.Slice(block * count, count);
            var to = bytes.Slice(block * size, size);
            switch (type)
            {
                case GgufType.Q8_0: Q8Block.Encode(from, to); break;
                case GgufType.Q4_0: Q4Block.Encode(from, to); break;
                case GgufType.Q5_0: Q5Block.EncodeSymmetric(from, to); break;
                case GgufType.Q5_1: Q5Block.EncodeShifted(from, to); break;
                case GgufType.Q4_K: Q4KBlock.Encode(from, to); break;
                case GgufType.Q6_K: Q6KBlock.Encode(from, to); break;
                default: throw Unknown(type);
            }
        }
    }

    /// <summary>Reads stored values, exactly as fp32 has them.</summary>
    public static void Decode(GgufType type, ReadOnlySpan<byte> bytes, Span<float> values)
    {
        switch (type)
        {
            case GgufType.F32:
                MemoryMarshal.Cast<byte, float>(bytes)[..values.Length].CopyTo(values);
                return;
            case GgufType.F16:
                var halves = MemoryMarshal.Cast<byte, Half>(bytes);
                for (var i = 0; i < values.Length; i++)
                {
                    values[i] = (float)halves[i];
                }

                return;
            case GgufType.BF16:
                var brains = MemoryMarshal.Cast<byte, ushort>(bytes);
                for (var i = 0; i < values.Length; i++)
                {
                    values[i] = DTypes.WidenBFloat16(brains[i]);
                }

                return;
        }

        var (count, size) = (type.BlockValues(), type.BlockBytes());
        for (var block = 0; block < values.Length / count; block++)
        {
            var from = bytes.Slice(block * size, size);
            var to = values.Slice(block * count, count);
            switch (type)
            {
                case GgufType.Q8_0: Q8Block.Decode(from, to); break;
                case GgufType.Q4_0: Q4Block.Decode(from, to); break;
                case GgufType.Q5_0: Q5Block.DecodeSymmetric(from, to); break;
                case GgufType.Q5_1: Q5Block.DecodeShifted(from, to); break;
                case GgufType.Q4_K: Q4KBlock.Decode(from, to); break;
                case GgufType.Q6_K: Q6KBlock.Decode(from, to); break;
                default: throw Unknown(type);
            }
        }
    }

    /// <summary>The place of the first value that is not finite; of a block that has such a scale, its first.</summary>
    public static long? FirstNonFinite(GgufType type, ReadOnlySpan<byte> bytes)
    {
        switch (type)
        {
            case GgufType.F32: return NonFinite.First(bytes, DType.Float32);
            case GgufType.F16: return NonFinite.First(bytes, DType.Float16);
            case GgufType.BF16: return NonFinite.First(bytes, DType.BFloat16);
        }

        // Scales are fp16; quants and scales of scales are whole numbers, so that nothing else can overflow.
        ReadOnlySpan<int> scales = type switch
        {
            GgufType.Q6_K => [Q6KBlock.Scale],
            GgufType.Q4_K or GgufType.Q5_1 => [0, 2],
            _ => [0],
        };
        for (var block = 0; block < bytes.Length / type.BlockBytes(); block++)
        {
            foreach (var at in scales)
            {
                if (!float.IsFinite(StoredHalf.Read(bytes[((block * type.BlockBytes()) + at)..])))
                {
                    return (long)block * type.BlockValues();
                }
            }
        }

        return null;
    }

    private static ArgumentOutOfRangeException Unknown(GgufType type) =>
        new(nameof(type), type, "is no type that is read or written");
}
