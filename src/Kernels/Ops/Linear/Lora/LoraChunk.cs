namespace SafeLlama.Kernels;

/// <summary>Some rows of a matrix that is D wide, in fp32 or in bf16.</summary>
/// <param name="start">The first element of the first row.</param>
/// <param name="stride">Elements from row to row.</param>
/// <param name="rows">How many rows.</param>
/// <param name="columns">D.</param>
/// <param name="isBFloat16">Whether the elements are bf16.</param>
internal readonly unsafe struct RowBlock(void* start, nint stride, int rows, int columns, bool isBFloat16 = false)
{
    /// <summary>The first element, where they are floats.</summary>
    public float* Start => (float*)start;

    /// <summary>The first element, whatever they are.</summary>
    public byte* Bytes => (byte*)start;

    public nint Stride => stride;

    public int Rows => rows;

    public int Columns => columns;

    public bool IsBFloat16 => isBFloat16;
}

/// <summary>The products of a LoRA term on a few rows, which stay in cache from the first to the last.</summary>
/// <remarks>
/// What has r columns (u, du) is computed by a tile one vector wide, r padded with zeros to whole vectors; a term of
/// rank 8 takes vectors of eight, or half of every vector would be padding.
/// </remarks>
/// <typeparam name="TLanes">Vectors along inputs and outputs.</typeparam>
/// <typeparam name="TThin">Vectors along the rank.</typeparam>
internal static unsafe class LoraChunk<TLanes, TThin>
    where TLanes : struct, ILanes<TLanes>
    where TThin : struct, ILanes<TThin>
{
    /// <summary>Rows of a chunk: whole tiles of every height.</summary>
    public const int Rows = 48;

    public const int TallestTile = 12;

    /// <summary>r in whole vectors.</summary>
    public static int Padded(int rank) => (rank + TThin.Count - 1) / TThin.Count * TThin.Count;

    /// <summary>Floats of scratch that the methods here need.</summary>
    public static long EdgeCount(int inputs, int outputs, int rank) =>
        (TallestTile * ((long)Math.Max(Math.Max(inputs, outputs), Padded(rank)) + MicroKernels<TLanes>.Width))
            + (Rows * TLanes.Count);

    /// <summary>thin [rows, padded r] = scale · wide · panels, from rows of D columns to rows of r.</summary>
    /// <param name="wide">At most <see cref="Rows"/> rows.</param>
    /// <param name="panels">The small matrix as <see cref="PackedPanels{TThin}"/>, [D, r].</param>
    /// <param name="rank">r.</param>
    /// <param name="scale">Multiplies every sum.</param>
    /// <param name="thin">The result; rows up to the next whole tile are overwritten.</param>
    /// <param name="edge">Scratch.</param>
    public static void DownProject(in RowBlock wide, float* panels, int rank, float scale, float* thin, float* edge)
    {
        var (padded, rows, depth) = (Padded(rank), wide.Rows, wide.Columns);
        for (var column = 0; column < padded; column += MicroKernels<TThin>.Width)
        {
            var two = padded - column > TThin.Count;
            var panel = panels + ((long)column * depth);
            // One vector leaves registers for twelve rows.
            var tall = two ? MicroKernels<TThin>.TallRows : TallestTile;
            for (var row = 0; row < rows; row += tall)
            {
                var a = wide.Start + (row * wide.Stride);
                var aStride = wide.Stride;
                if (rows - row < tall)
                {
                    MicroKernels<TThin>.CopyEdge(a, aStride, 1, rows - row, tall, depth, edge);
                    a = edge;
                    aStride = depth;
                }

                MicroKernels<TThin>.Multiply(tall, two, new MicroKernelOperands
                {
                    A = a,
                    RowStride = aStride,
                    StepStride = 1,
                    B = panel,
                    PanelStride = MicroKernels<TThin>.Width,
                    K = depth,
                    Scale = scale,
                    C = thin + ((long)row * padded) + column,
                    CStride = padded,
                });
            }
        }
    }

    /// <summary>wide [rows, columns] = thin · panels, from rows of r columns to rows of D.</summary>
    /// <param name="thin">[rows, padded r], with room for whole tiles of rows.</param>
    /// <param name="rank">r.</param>
    /// <param name="panels">The small matrix as <see cref="PackedPanels{TLanes}"/>, [r, columns].</param>
    /// <param name="wide">The result, at most <see cref="Rows"/> rows.</param>
    /// <param name="corner">Scratch.</param>
    public static void UpProject(float* thin, int rank, float* panels, in RowBlock wide, float* corner)
    {
        var (padded, width) = (Padded(rank), MicroKernels<TLanes>.Width);
        for (var row = 0; row < wide.Rows; row += MicroKernels<TLanes>.TallRows)
        {
            var count = Math.Min(MicroKernels<TLanes>.TallRows, wide.Rows - row);
            var tile = MicroKernels<TLanes>.RowsFor(count);
            for (var column = 0; column < wide.Columns; column += width)
            {
                var left = Math.Min(width, wide.Columns - column);
                var t = new MicroKernelOperands
                {
                    A = thin + ((long)row * padded),
                    RowStride = padded,
                    StepStride = 1,
                    B = panels + ((long)column * rank),
                    PanelStride = width,
                    K = rank,
                    Scale = 1,
                    C = wide.Start + (row * wide.Stride) + column,
                    CStride = wide.Stride,
                };
                if (count == tile && (left == width || left == TLanes.Count))
                {
                    MicroKernels<TLanes>.Multiply(tile, left == width, t);
                }
                else
                {
                    MicroKernels<TLanes>.Multiply(tile, true, t with { C = corner, CStride = width });
                    MicroKernels<TLanes>.CopyCorner(corner, count, left, t);
                }
            }
        }
    }

    /// <summary>sums [padded r, columns] += scale · thinᵀ wide: a gradient of A, or of Bᵀ.</summary>
    /// <param name="thin">[rows, padded r].</param>
    /// <param name="rank">r.</param>
    /// <param name="wide">[rows, columns], at most <see cref="Rows"/> rows.</param>
    /// <param name="scale">Multiplies every sum.</param>
    /// <param name="sums">The result.</param>
    /// <param name="sumStride">Floats from row to row of it; columns up to whole vectors are overwritten.</param>
    /// <param name="tail">Scratch.</param>
    /// <param name="next">What the next step reads.</param>
    public static void AddOuter(
        float* thin, int rank, in RowBlock wide, float scale, float* sums, nint sumStride, float* tail,
        PrefetchRows next)
    {
        if (wide.IsBFloat16)
        {
            AddOuter<StoredBFloat16>(thin, rank, wide, scale, sums, sumStride, tail, next);
        }
        else
        {
            AddOuter<StoredFloat32>(thin, rank, wide, scale, sums, sumStride, tail, next);
        }
    }

    private static void AddOuter<T>(
        float* thin, int rank, in RowBlock wide, float scale, float* sums, nint sumStride, float* tail,
        PrefetchRows next)
        where T : struct, IStored
    {
        var (rows, columns) = (wide.Rows, wide.Columns);
        var padded = Padded(rank);
        var tall = TLanes.ManyRegisters && padded % 8 == 0 ? 8 : 4;
        var shares = (columns + MicroKernels<TLanes>.Width - 1) / MicroKernels<TLanes>.Width;
        for (var column = 0; column < columns;)
        {
            next.PrefetchShare(shares);
            var b = wide.Bytes + (column * T.Size);
            var two = columns - column >= MicroKernels<TLanes>.Width;
            var isTail = columns - column < TLanes.Count;
            if (isTail)
            {
                CopyTail<T>(b, wide.Stride, rows, columns - column, tail);
            }

            for (var k = 0; k < padded; k += tall)
            {
                var c = sums + (k * sumStride) + column;
                var t = new MicroKernelOperands
                {
                    A = thin + k,
                    RowStride = 1,
                    StepStride = padded,
                    B = isTail ? tail : b,
                    PanelStride = isTail ? TLanes.Count : wide.Stride,
                    K = rows,
                    Scale = scale,
                    C = c,
                    CStride = sumStride,
                    Addend = c,
                    AddendStride = sumStride,
                };
                if (isTail)
                {
                    MicroKernels<TLanes>.Multiply(tall, two, t);
                }
                else
                {
                    MicroKernels<TLanes>.Multiply<T>(tall, two, t);
                }
            }

            column += two ? MicroKernels<TLanes>.Width : TLanes.Count;
        }
    }

    /// <summary>Columns that fill no vector, widened, with zeros beside them.</summary>
    private static void CopyTail<T>(byte* from, nint stride, int rows, int count, float* tail)
        where T : struct, IStored
    {
        for (var row = 0; row < rows; row++, from += stride * T.Size)
        {
            for (var i = 0; i < TLanes.Count; i++)
            {
                tail[(row * TLanes.Count) + i] = i < count ? T.LoadOne(from + (i * T.Size)) : 0;
            }
        }
    }
}
