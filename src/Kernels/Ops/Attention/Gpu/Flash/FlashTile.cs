using ILGPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Util;

namespace SafeLlama.Kernels;

/// <summary>The layout of rows of heads in shared memory, and the copies into it.</summary>
/// <remarks>
/// A group of 4 warps owns 64 rows (of queries, or of keys), 16 to a warp. Past them, tiles of 32 rows go by, of two
/// matrices, in two stages: while one is computed with, the other is on its way (<c>cp.async</c>).
/// <code>
/// stage 0   tile of the first matrix, tile of the second      also: the 64 rows themselves, at first
/// stage 1   the same
/// statistics, two stages (backward over keys)
/// </code>
/// A row lies 16 bytes further from the next than it is long. Such a skew sends the 8 rows that one phase of
/// <c>ldmatrix</c> reads to 32 different banks, as a swizzle would, for every head size; and the columns of a row stand
/// at constant distances, so that the addresses of all fragments of a row are one register and a constant.
/// </remarks>
internal static class FlashTile
{
    /// <summary>Threads in a group.</summary>
    public const int Threads = 128;

    /// <summary>Rows that a group owns.</summary>
    public const int Rows = 64;

    /// <summary>Rows of a tile that goes by.</summary>
    public const int Passing = 32;

    /// <summary>Bytes of the statistics of a tile's rows: first key, last key, logSum and δ, each 32 times.</summary>
    public const uint StatisticsBytes = 4 * Passing * 4;

    private const int Stages = 2;

    /// <summary>This thread's place in its warp.</summary>
    public static int Lane => Group.IdxX & 31;

    /// <summary>The first of this lane's two rows among the group's 64; the other is 8 further.</summary>
    public static int Row => ((Group.IdxX >> 5) * 16) + (Lane >> 2);

    /// <summary>The first of this lane's columns in every 8 of a tile of sums; the other is its neighbor.</summary>
    public static int Column => 2 * (Lane & 3);

    /// <summary>Bytes from row to row.</summary>
    public static uint Pitch<THead>()
        where THead : unmanaged, IHeadSize<THead> => (uint)((2 * THead.Columns) + 16);

    /// <summary>Bytes of a tile that goes by.</summary>
    public static uint TileBytes<THead>()
        where THead : unmanaged, IHeadSize<THead> => Passing * Pitch<THead>();

    /// <summary>Bytes of two tiles; the 64 rows of a group take as many.</summary>
    public static uint StageBytes<THead>()
        where THead : unmanaged, IHeadSize<THead> => 2 * TileBytes<THead>();

    /// <summary>Shared memory that a kernel asks for.</summary>
    public static uint SharedBytes<THead>()
        where THead : unmanaged, IHeadSize<THead> => Stages * (StageBytes<THead>() + StatisticsBytes);

    public static uint Stage<THead>(uint shared, int step)
        where THead : unmanaged, IHeadSize<THead> => shared + ((uint)(step % Stages) * StageBytes<THead>());

    public static uint Statistics<THead>(uint shared, int step)
        where THead : unmanaged, IHeadSize<THead> =>
        shared + (Stages * StageBytes<THead>()) + ((uint)(step % Stages) * StatisticsBytes);

    /// <summary>
    /// Requests rows of a key-value head's keys or values; zeros past the last, and past the head's end.
    /// </summary>
    public static void FillKeys<THead>(uint tile, FlashOperand from, int first, int count, in AttentionShape shape)
        where THead : unmanaged, IHeadSize<THead>
    {
        const int ChunkColumns = 8;
        var chunks = THead.Columns / ChunkColumns;
        for (var i = 0; i < count * chunks / Threads; i++)
        {
            var e = Group.IdxX + (i * Threads);
            var (row, column) = (e / chunks, e % chunks * ChunkColumns);
            var key = first + row;
            var at = ((long)key * from.Stride) + (Grid.IdxY * shape.HeadDim) + column;
            var inside = key < shape.KeyRows && column < shape.HeadDim;
            Copy(tile + ((uint)row * Pitch<THead>()) + (uint)(2 * column), from.Address, at, inside);
        }
    }

    /// <summary>
    /// Requests a tile of keys and one of values. A step past the last requests nothing, but counts as one.
    /// </summary>
    public static void FillStep<THead>(
        uint shared, int step, FlashOperand k, FlashOperand v, in KeyRange hull, in AttentionShape shape)
        where THead : unmanaged, IHeadSize<THead>
    {
        var key = hull.First + (step * Passing);
        if (key <= hull.Last)
        {
            var tile = Stage<THead>(shared, step);
            FillKeys<THead>(tile, k, key, Passing, shape);
            FillKeys<THead>(tile + TileBytes<THead>(), v, key, Passing, shape);
        }

        Commit();
    }

    /// <summary>Requests rows of the queries that share a key-value head, or of tensors of the same layout.</summary>
    public static void FillQueries<THead>(uint tile, FlashOperand from, int first, int count, in AttentionShape shape)
        where THead : unmanaged, IHeadSize<THead>
    {
        const int ChunkColumns = 8;
        var chunks = THead.Columns / ChunkColumns;
        for (var i = 0; i < count * chunks / Threads; i++)
        {
            var e = Group.IdxX + (i * Threads);
            var (row, column) = (e / chunks, e % chunks * ChunkColumns);
            var query = first + row;
            var at = ((long)shape.RowOf(query) * from.Stride) + shape.ColumnOf(query) + column;
            var inside = query < shape.Queries && column < shape.HeadDim;
            Copy(tile + ((uint)row * Pitch<THead>()) + (uint)(2 * column), from.Address, at, inside);
        }
    }

    /// <summary>Requests the statistics of 32 queries; each warp copies one kind. Zeros past the last query.</summary>
    public static void FillStatistics(uint statistics, in FlashStatistics from, int first, in AttentionShape shape)
    {
        var query = first + Lane;
        var (row, warp) = (shape.RowOf(query), Group.IdxX >> 5);
        var ofHead = ((long)row * from.Stride) + shape.HeadOf(query);
        var ranges = Utilities.Select(warp == 0, from.FirstKey, from.LastKey) + (4L * row);
        var sums = Utilities.Select(warp == 2, from.LogSum, from.Delta) + (4 * ofHead);
        var inside = query < shape.Queries;
        var source = Utilities.Select(inside, Utilities.Select(warp < 2, ranges, sums), from.FirstKey);
        CudaAsm.Emit(
            "cp.async.ca.shared.global [%0], [%1], 4, %2;",
            statistics + (uint)(4 * Group.IdxX), source, Utilities.Select(inside, 4u, 0u));
    }

    /// <summary>Ends the requests of one step.</summary>
    public static void Commit() => CudaAsm.Emit("cp.async.commit_group;");

    /// <summary>
    /// Waits for the requests of all threads, and until all threads have left the stage that is filled next.
    /// </summary>
    public static void Arrive()
    {
        CudaAsm.Emit("cp.async.wait_group 0;");
        Group.Barrier();
    }

    /// <summary>
    /// Carries the 64 rows that the warps have laid out from shared memory to the result, 16 bytes a thread.
    /// </summary>
    /// <param name="layout">Shared memory as C# sees it.</param>
    /// <param name="to">Rows of queries, or of keys.</param>
    /// <param name="first">The group's first row.</param>
    /// <param name="ofQueries">Whether rows are queries.</param>
    /// <param name="shape">The sizes.</param>
    public static void CopyOut<THead>(
        ArrayView<Chunk> layout, GpuChunks to, int first, bool ofQueries, in AttentionShape shape)
        where THead : unmanaged, IHeadSize<THead>
    {
        var chunks = THead.Columns / 8;
        var pitch = (int)Pitch<THead>() / 16;
        Group.Barrier();
        for (var i = 0; i < Rows * chunks / Threads; i++)
        {
            var e = Group.IdxX + (i * Threads);
            var (row, chunk) = (e / chunks, e % chunks);
            var at = first + row;
            var inside = at < (ofQueries ? shape.Queries : shape.KeyRows);
            if (inside && 8 * chunk < shape.HeadDim)
            {
                var column = ofQueries ? shape.ColumnOf(at) : Grid.IdxY * shape.HeadDim;
                to[ofQueries ? shape.RowOf(at) : at, (column / 8) + chunk] = layout[(row * pitch) + chunk];
            }
        }
    }

    /// <summary>16 bytes on their way; where they are outside, no byte is read and zeros are written.</summary>
    private static void Copy(uint place, long address, long element, bool inside) =>
        CudaAsm.Emit(
            "cp.async.cg.shared.global [%0], [%1], 16, %2;",
            place, Utilities.Select(inside, address + (2 * element), address), Utilities.Select(inside, 16u, 0u));
}

/// <summary>16 bytes: 8 numbers of bf16.</summary>
internal readonly record struct Chunk(uint A, uint B, uint C, uint D);

/// <summary>A bf16 matrix that is written 16 bytes at a time.</summary>
internal readonly struct GpuChunks(ArrayView<Chunk> memory, long offset, long stride)
{
    private readonly ArrayView<Chunk> _memory = memory;
    private readonly long _offset = offset;
    private readonly long _stride = stride;

    /// <param name="row">The row.</param>
    /// <param name="chunk">Columns 8 chunk … + 7.</param>
    public Chunk this[long row, long chunk]
    {
        set => _memory[_offset + (row * _stride) + chunk] = value;
    }
}

/// <summary>What backward needs of each query, by device addresses.</summary>
/// <param name="FirstKey">[N] Int32.</param>
/// <param name="LastKey">[N] Int32.</param>
/// <param name="LogSum">[N, H] fp32.</param>
/// <param name="Delta">[N, H] fp32, rows as far apart as those of logSum.</param>
/// <param name="Stride">Elements from row to row.</param>
internal readonly record struct FlashStatistics(long FirstKey, long LastKey, long LogSum, long Delta, long Stride);

/// <summary>A matrix by its device address, for copies that C# has no word for.</summary>
/// <param name="Address">Of the first element; bf16 stands at a multiple of 16.</param>
/// <param name="Stride">Elements from row to row; of bf16, a multiple of 8.</param>
internal readonly record struct FlashOperand(long Address, int Stride);

/// <summary>What the gradients of queries and of keys are made of.</summary>
internal readonly record struct FlashOperands(
    FlashOperand Dy, FlashOperand Query, FlashOperand Key, FlashOperand Value);
