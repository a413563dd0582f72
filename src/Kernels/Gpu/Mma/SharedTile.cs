using ILGPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Util;

namespace SafeLlama.Kernels;

/// <summary>The layout of a product's operands in shared memory.</summary>
/// <remarks>
/// An operand stored along k lies as 128 rows of 4 chunks (a chunk is 16 bytes, 8 elements of k), chunk c of row r at
/// place c ⊕ (r / 2 mod 4). One stored across k lies as 32 rows of 16 chunks (8 rows of the operand at one k), chunk c
/// of row k at place c ⊕ (k mod 8). Either way the 8 rows that one phase of <c>ldmatrix</c> reads lie in 32 different
/// banks.
/// </remarks>
internal static class SharedTile
{
    /// <summary>The shared address of the memory that a kernel asks for at launch.</summary>
    public static uint Base()
    {
        CudaAsm.Emit("mov.u32 %0, __dyn_shared_alloca;", out uint address);
        return address;
    }

    /// <summary>Copies a tile of 128 × 32; what lies outside the operand becomes zero.</summary>
    /// <param name="tile">Shared address.</param>
    /// <param name="from">The operand.</param>
    /// <param name="first">Its first row of the tile: m for a, n for b.</param>
    /// <param name="firstK">The first k.</param>
    /// <param name="count">Rows of the operand: M or N.</param>
    /// <param name="depth">K.</param>
    /// <param name="columns">Whether the operand is stored [K, count].</param>
    public static void Fill(uint tile, GpuOperand from, int first, int firstK, int count, int depth, bool columns)
    {
        if (columns)
        {
            CopyColumns(tile, from, first, firstK, count, depth, Group.IdxX);
            CopyColumns(tile, from, first, firstK, count, depth, Group.IdxX + TensorCoreGemm.Threads);
        }
        else
        {
            CopyRows(tile, from, first, firstK, count, depth, Group.IdxX);
            CopyRows(tile, from, first, firstK, count, depth, Group.IdxX + TensorCoreGemm.Threads);
        }
    }

    /// <summary>Where this lane's row of fragment i of a stands: rows 16 i … of the warp's 64, k = 16 half ….</summary>
    public static uint RowsA(uint tile, int half, int i)
    {
        var row = WarpRow + (16 * i) + (Lane & 15);
        return tile + RowPlace(row, (2 * half) + (Lane >> 4));
    }

    /// <summary>
    /// Where this lane's row of fragments 2 pair and 2 pair + 1 of b stands: columns 16 pair … of the warp's 32.
    /// </summary>
    public static uint RowsB(uint tile, int half, int pair)
    {
        var row = WarpColumn + (16 * pair) + (Lane & 7) + ((Lane >> 4) << 3);
        return tile + RowPlace(row, (2 * half) + ((Lane >> 3) & 1));
    }

    /// <summary>As <see cref="RowsA"/>, of an operand stored [K, M].</summary>
    public static uint ColumnsA(uint tile, int half, int i)
    {
        var k = (16 * half) + (Lane & 7) + ((Lane >> 4) << 3);
        return tile + ColumnPlace(k, (WarpRow / 8) + (2 * i) + ((Lane >> 3) & 1));
    }

    /// <summary>As <see cref="RowsB"/>, of an operand stored [K, N].</summary>
    public static uint ColumnsB(uint tile, int half, int pair)
    {
        var k = (16 * half) + (Lane & 15);
        return tile + ColumnPlace(k, (WarpColumn / 8) + (2 * pair) + (Lane >> 4));
    }

    /// <summary>This thread's place in its warp.</summary>
    public static int Lane => Group.IdxX & 31;

    /// <summary>The first row of the warp's part of the tile.</summary>
    public static int WarpRow => ((Group.IdxX >> 5) & 1) * 64;

    /// <summary>The first column of the warp's part of the tile.</summary>
    public static int WarpColumn => (Group.IdxX >> 6) * 32;

    /// <summary>Where a chunk of an operand stored along k lies.</summary>
    public static uint RowPlace(int row, int chunk) => (uint)((row * 64) + ((chunk ^ ((row >> 1) & 3)) << 4));

    /// <summary>Where a chunk of an operand stored across k lies.</summary>
    public static uint ColumnPlace(int k, int chunk) => (uint)((k * 256) + ((chunk ^ (k & 7)) << 4));

    private static void CopyRows(uint tile, GpuOperand from, int first, int firstK, int count, int depth, int e)
    {
        var (row, chunk) = (e >> 2, e & 3);
        var (m, k) = (first + row, firstK + (8 * chunk));
        Copy(tile + RowPlace(row, chunk), from, m, k, m < count && k < depth);
    }

    private static void CopyColumns(uint tile, GpuOperand from, int first, int firstK, int count, int depth, int e)
    {
        var (row, chunk) = (e >> 4, e & 15);
        var (k, m) = (firstK + row, first + (8 * chunk));
        Copy(tile + ColumnPlace(row, chunk), from, k, m, m < count && k < depth);
    }

    /// <summary>Queues a copy of 16 bytes; for a chunk outside the operand it reads nothing and writes zeros.</summary>
    private static void Copy(uint place, GpuOperand from, int row, int column, bool inside)
    {
        var source = Utilities.Select(inside, from.Address + ((((long)row * from.Stride) + column) * 2), from.Address);
        CudaAsm.Emit("cp.async.cg.shared.global [%0], [%1], 16, %2;", place, source, Utilities.Select(inside, 16u, 0u));
    }
}
