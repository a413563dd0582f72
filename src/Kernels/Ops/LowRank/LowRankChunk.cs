namespace SafeLlama.Kernels;

/// <summary>The products of a LoRA branch on a few rows, which stay in cache from the first to the last.</summary>
/// <remarks>
/// What has r columns (u, du) is computed by a tile one vector wide, r padded with zeros to whole vectors; a branch of
/// rank 8 takes vectors of eight, or half of every vector would be padding.
/// </remarks>
/// <typeparam name="TLanes">Vectors along inputs and outputs.</typeparam>
/// <typeparam name="TThin">Vectors along the rank.</typeparam>
internal static unsafe class LowRankChunk<TLanes, TThin>
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
        (TallestTile * ((long)Math.Max(Math.Max(inputs, outputs), Padded(rank)) + Tiles<TLanes>.Width))
            + (Rows * TLanes.Count);

    /// <summary>thin [rows, padded r] = scale · wide · panels, from rows of D columns to rows of r.</summary>
    /// <param name="wide">[rows, depth].</param>
    /// <param name="stride">Floats from row to row of wide.</param>
    /// <param name="rows">At most <see cref="Rows"/>.</param>
    /// <param name="panels">The small matrix as <see cref="PackedPanels{TThin}"/>, [depth, r].</param>
    /// <param name="depth">D.</param>
    /// <param name="rank">r.</param>
    /// <param name="scale">Multiplies every sum.</param>
    /// <param name="thin">The result; rows up to the next whole tile are overwritten.</param>
    /// <param name="edge">Scratch.</param>
    public static void Narrow(
        float* wide, nint stride, int rows, float* panels, int depth, int rank, float scale, float* thin, float* edge)
    {
        var padded = Padded(rank);
        for (var column = 0; column < padded; column += Tiles<TThin>.Width)
        {
            var two = padded - column > TThin.Count;
            var panel = panels + ((long)column * depth);
            var tall = two ? Tiles<TThin>.TallRows : TallestTile;      // one vector leaves registers for twelve rows
            for (var row = 0; row < rows; row += tall)
            {
                var a = wide + (row * stride);
                var aStride = stride;
                if (rows - row < tall)
                {
                    Tiles<TThin>.CopyEdge(a, stride, 1, rows - row, tall, depth, edge);
                    a = edge;
                    aStride = depth;
                }

                Tiles<TThin>.Multiply(tall, two, new TileOperands
                {
                    A = a,
                    RowStride = aStride,
                    StepStride = 1,
                    B = panel,
                    PanelStride = Tiles<TThin>.Width,
                    Depth = depth,
                    Scale = scale,
                    C = thin + ((long)row * padded) + column,
                    CStride = padded,
                });
            }
        }
    }

    /// <summary>wide [rows, columns] = thin · panels, from rows of r columns to rows of D.</summary>
    /// <param name="thin">[rows, padded r], with room for whole tiles of rows.</param>
    /// <param name="rows">At most <see cref="Rows"/>.</param>
    /// <param name="panels">The small matrix as <see cref="PackedPanels{TLanes}"/>, [r, columns].</param>
    /// <param name="rank">r.</param>
    /// <param name="columns">D.</param>
    /// <param name="wide">The result.</param>
    /// <param name="stride">Floats from row to row of wide.</param>
    /// <param name="corner">Scratch.</param>
    public static void Widen(
        float* thin, int rows, float* panels, int rank, int columns, float* wide, nint stride, float* corner)
    {
        var (padded, width) = (Padded(rank), Tiles<TLanes>.Width);
        for (var row = 0; row < rows; row += Tiles<TLanes>.TallRows)
        {
            var count = Math.Min(Tiles<TLanes>.TallRows, rows - row);
            var tile = Tiles<TLanes>.RowsFor(count);
            for (var column = 0; column < columns; column += width)
            {
                var left = Math.Min(width, columns - column);
                var t = new TileOperands
                {
                    A = thin + ((long)row * padded),
                    RowStride = padded,
                    StepStride = 1,
                    B = panels + ((long)column * rank),
                    PanelStride = width,
                    Depth = rank,
                    Scale = 1,
                    C = wide + (row * stride) + column,
                    CStride = stride,
                };
                if (count == tile && (left == width || left == TLanes.Count))
                {
                    Tiles<TLanes>.Multiply(tile, left == width, t);
                }
                else
                {
                    Tiles<TLanes>.Multiply(tile, true, t with { C = corner, CStride = width });
                    Tiles<TLanes>.CopyCorner(corner, count, left, t);
                }
            }
        }
    }

    /// <summary>sums [padded r, columns] += scale · thinᵀ wide: a gradient of A, or of Bᵀ.</summary>
    /// <param name="thin">[rows, padded r].</param>
    /// <param name="rank">r.</param>
    /// <param name="wide">[rows, columns].</param>
    /// <param name="stride">Floats from row to row of wide.</param>
    /// <param name="rows">At most <see cref="Rows"/>.</param>
    /// <param name="columns">D.</param>
    /// <param name="scale">Multiplies every sum.</param>
    /// <param name="sums">The result.</param>
    /// <param name="sumStride">Floats from row to row of it; columns up to whole vectors are overwritten.</param>
    /// <param name="tail">Scratch.</param>
    /// <param name="coming">What the next step reads.</param>
    public static void AddOuter(
        float* thin, int rank, float* wide, nint stride, int rows, int columns, float scale, float* sums,
        nint sumStride, float* tail, PrefetchRows coming)
    {
        var padded = Padded(rank);
        var tall = TLanes.ManyRegisters && padded % 8 == 0 ? 8 : 4;
        var turns = (columns + Tiles<TLanes>.Width - 1) / Tiles<TLanes>.Width;
        for (var column = 0; column < columns;)
        {
            coming.AskForShare(turns);
            var b = wide + column;
            var bStride = stride;
            var two = columns - column >= Tiles<TLanes>.Width;
            if (columns - column < TLanes.Count)
            {
                CopyTail(b, stride, rows, columns - column, tail);
                b = tail;
                bStride = TLanes.Count;
            }

            for (var k = 0; k < padded; k += tall)
            {
                var c = sums + (k * sumStride) + column;
                Tiles<TLanes>.Multiply(tall, two, new TileOperands
                {
                    A = thin + k,
                    RowStride = 1,
                    StepStride = padded,
                    B = b,
                    PanelStride = bStride,
                    Depth = rows,
                    Scale = scale,
                    C = c,
                    CStride = sumStride,
                    Addend = c,
                    AddendStride = sumStride,
                });
            }

            column += two ? Tiles<TLanes>.Width : TLanes.Count;
        }
    }

    /// <summary>Columns that fill no vector, with zeros beside them.</summary>
    private static void CopyTail(float* from, nint stride, int rows, int count, float* tail)
    {
        for (var row = 0; row < rows; row++)
        {
            for (var i = 0; i < TLanes.Count; i++)
            {
                tail[(row * TLanes.Count) + i] = i < count ? from[(row * stride) + i] : 0;
            }
        }
    }
}
