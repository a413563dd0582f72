namespace SafeLlama.Kernels;

/// <summary>How an element is stored. Arithmetic is fp32 or fp64; the 16-bit types are only for storage.</summary>
public enum DType
{
    Float64,
    Float32,

    /// <summary>The upper half of a Float32: 8 bits of exponent, 7 of mantissa.</summary>
    BFloat16,

    /// <summary>IEEE 754 half precision.</summary>
    Float16,
    Int32,

    /// <summary>
    /// Elements are parts of blocks that share scales; a tensor's <see cref="WeightFormat"/> says how.
    /// </summary>
    Blocks,
}

/// <summary>Sizes of element types, and bf16 as bits.</summary>
public static class DTypes
{
    /// <summary>Bytes per element.</summary>
    /// <exception cref="ArgumentException">Elements of blocks have no bytes of their own.</exception>
    public static int Size(this DType type) => type switch
    {
        DType.Float64 => 8,
        DType.Float32 or DType.Int32 => 4,
        DType.BFloat16 or DType.Float16 => 2,
        _ => throw new ArgumentException($"{type} has no size per element: ask the tensor's WeightFormat."),
    };

    /// <summary>Widens a stored bf16, exactly.</summary>
    public static float WidenBFloat16(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    /// <summary>Rounds to bf16, to nearest with ties to even; NaN stays NaN.</summary>
    public static ushort NarrowBFloat16(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value)
            ? (ushort)((bits >> 16) | 0x40)
            : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}
