using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>Register tiles by their number of rows, and the handling of rows and columns that fill none.</summary>
internal static unsafe class MicroKernels<TLanes>
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>Rows of the tallest tile: 24 accumulators of 32 registers, or 12 of 16.</summary>
    public static int TallRows => TLanes.ManyRegisters ? 12 : 6;

    /// <summary>Columns of the widest tile.</summary>
    public static int Width => 2 * TLanes.Count;

    /// <summary>The lowest tile that has so many rows, at most <see cref="TallRows"/>.</summary>
    public static int RowsFor(int rows) => TLanes.ManyRegisters
        ? rows > 8 ? 12 : rows > 4 ? 8 : 4
        : rows > 4 ? 6 : 4;

    /// <summary>
    /// <see cref="MicroKernel{TLanes, TSize, TB}.Multiply"/> of 4, 6, 8 or 12 rows and one vector, or two where wide.
    /// </summary>
    public static void Multiply(int rows, bool wide, in MicroKernelOperands t) =>
        Multiply<StoredFloat32>(rows, wide, t);

    /// <summary>The same with a B of any stored type.</summary>
    public static void Multiply<TB>(int rows, bool wide, in MicroKernelOperands t)
        where TB : struct, IStored
    {
        switch (rows, wide)
        {
            case (12, true):
                MicroKernel<TLanes, Kernel12x2, TB>.Multiply(t);
                break;
            case (12, false):
                MicroKernel<TLanes, Kernel12x1, TB>.Multiply(t);
                break;
            case (8, true):
                MicroKernel<TLanes, Kernel8x2, TB>.Multiply(t);
                break;
            case (8, false):
                MicroKernel<TLanes, Kernel8x1, TB>.Multiply(t);
                break;
            case (6, true):
                MicroKernel<TLanes, Kernel6x2, TB>.Multiply(t);
                break;
            case (6, false):
                MicroKernel<TLanes, Kernel6x1, TB>.Multiply(t);
                break;
            case (_, true):
                MicroKernel<TLanes, Kernel4x2, TB>.Multiply(t);
                break;
            case (_, false):
                MicroKernel<TLanes, Kernel4x1, TB>.Multiply(t);
                break;
        }
    }

    /// <summary>Rows that fill no tile are copied, [rows, depth], with zeros below.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void CopyEdge(float* a, nint rowStride, nint stepStride, int count, int rows, int depth, float* edge)
    {
        for (var row = 0; row < count; row++)
        {
            for (var k = 0; k < depth; k++)
            {
                edge[(row * depth) + k] = a[(row * rowStride) + (k * stepStride)];
            }
        }

        new Span<float>(edge + (count * depth), (rows - count) * depth).Clear();
    }

    /// <summary>The part of a whole tile, computed aside, that C has room for.</summary>
    /// <param name="corner">[rows, <see cref="Width"/>] the tile's sums, already scaled.</param>
    /// <param name="rows">Rows of C.</param>
    /// <param name="columns">Columns of C.</param>
    /// <param name="t">Where C and the addend are.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void CopyCorner(float* corner, int rows, int columns, in MicroKernelOperands t)
    {
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < columns; column++)
            {
                var value = corner[(row * Width) + column];
                t.C[(row * t.CStride) + column] =
                    t.Addend == null ? value : t.Addend[(row * t.AddendStride) + column] + value;
            }
        }
    }
}
