using System.Runtime.InteropServices;

namespace SafeLlama.Kernels.Tests;

/// <summary>Kernel parameters as bytes, laid out as the structs they belong to.</summary>
internal static class PtxArguments
{
    public static byte[] Number<T>(T value)
        where T : unmanaged => MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)).ToArray();

    /// <summary><see cref="GpuOperand"/>.</summary>
    public static byte[] Operand(long address, int stride, int depth) =>
        [.. Number(address), .. Number(stride), .. Number(depth)];

    /// <summary>
    /// <see cref="GpuMatrix{T}"/> and <see cref="GpuResult{T}"/>: a view (address, count), offset, stride.
    /// </summary>
    public static byte[] Matrix(long address, long count, long stride) =>
        [.. Vector(address, count), .. Number(stride)];

    /// <summary><see cref="GpuFloats"/>: a view and an offset.</summary>
    public static byte[] Vector(long address, long count) => [.. Number(address), .. Number(count), .. Number(0L)];

    /// <summary><see cref="GpuWeights"/>, of fp32: two views of one memory, offset, type.</summary>
    public static byte[] Weights(long address, long count) =>
        [.. Number(address), .. Number(count), .. Number(address), .. Number(2 * count), .. Number(0L),
            .. Number((long)DType.Float32)];

    /// <summary><see cref="ProductForm"/>.</summary>
    public static byte[] Form(
        bool transposeA, bool transposeB, ProductEnd end, float scale, int rows, int columns, int depth,
        bool bias = false) =>
    [
        .. Number(transposeA ? 1 : 0), .. Number(transposeB ? 1 : 0), .. Number((int)end), .. Number(scale),
        .. Number((int)Dropped.Nothing), .. Number(rows), .. Number(columns), .. Number(depth), .. Number(bias ? 1 : 0),
    ];
}
