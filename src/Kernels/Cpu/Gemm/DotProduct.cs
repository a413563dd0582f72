using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>
/// A product of few rows (decoding, a short prompt) or few columns (LoRA's down-projection), nothing packed.
/// </summary>
/// <remarks>
/// It multiplies a few columns of the weight at a time by all rows of A: the weight is read from memory once, at full
/// bandwidth, and A stays in cache. The order of each sum does not depend on the tile.
/// </remarks>
internal static unsafe class DotProduct<TLanes>
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>Rows of a <see cref="DotTile{TLanes, TStored, TSize}"/>.</summary>
    private const int TileRows = 4;

    /// <summary>Floats of the leading rows: a third of a first-level cache.</summary>
    private const int LeadingFloats = 4096;

    /// <summary>The number of columns by which the leading rows are ahead.</summary>
    private const int BlockColumns = 48;

    /// <summary>Floats of decoded columns: they stay in the first-level cache.</summary>
    private const int DecodedFloats = 6144;

    /// <summary>Columns that meet four rows: 24 accumulators, or 8 where registers are few.</summary>
    private static int TileColumns => TLanes.ManyRegisters ? 6 : 2;

    /// <summary>Computes the rows and columns given; A's k and the k of a column of B stand together.</summary>
    public static void Run(in MatrixProduct p, (int First, int End) rows, (int First, int End) columns)
    {
        switch (p.BType)
        {
            case DType.BFloat16:
                Run<StoredBFloat16>(p, rows, columns);
                break;
            case DType.Float16:
                Run<StoredFloat16>(p, rows, columns);
                break;
            case DType.Float32:
                Run<StoredFloat32>(p, rows, columns);
                break;
            default:
                RunDecoded(p, rows, columns);
                break;
        }
    }

    /// <summary>A weight in blocks: its rows are decoded once and multiplied by all rows of A.</summary>
    private static void RunDecoded(in MatrixProduct p, (int First, int End) rows, (int First, int End) columns)
    {
        if (rows.End - rows.First <= TileRows && BlockProduct.TryRun(TLanes.Count, p, rows, columns))
        {
            return;
        }

        // Several columns at a time, since reading memory that was just written is slow.
        var most = Math.Clamp(DecodedFloats / p.K, 1, BlockColumns);
        var scratch = ThreadScratch.Floats(most * p.K);
        for (var column = columns.First; column < columns.End; column += most)
        {
            var count = Math.Min(most, columns.End - column);
            BlockProduct.Decode(TLanes.Count, p, column, count, scratch);

            var some = p with
            {
                B = (byte*)scratch,
                BFormat = WeightFormat.F32,
                BStride = p.K,
                C = p.C + column,
                Addend = p.Addend == null ? null : p.Addend + column,
            };
            Run<StoredFloat32>(some, rows, (0, count));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TStored>(in MatrixProduct p, (int First, int End) rows, (int First, int End) columns)
        where TStored : struct, IStored
    {
        var leading = Leading<TStored>(rows.End - rows.First, p.K);
        var block = leading == 0 || leading == rows.End - rows.First ? columns.End - columns.First : BlockColumns;
        for (var column = columns.First; column < columns.End; column += block)
        {
            var some = (column, Math.Min(columns.End, column + block));
            Stream<TStored>(p, (rows.First, rows.First + leading), some);
            Tiles<TStored>(p, (rows.First + leading, rows.End), some, prefetches: leading == 0);
        }
    }

    /// <summary>
    /// The number of rows that read the weights from memory as one stream; the others read them from a cache.
    /// </summary>
    /// <remarks>
    /// Memory delivers half its bandwidth when several columns are read side by side. So the first rows run separately,
    /// as many as the first-level cache keeps while weights pass through it. bf16 weights need half the bytes, and
    /// widening them twice costs more than that gains.
    /// </remarks>
    private static int Leading<TStored>(int rows, int depth) =>
        rows <= 2 ? rows
        : typeof(TStored) != typeof(StoredFloat32) ? 0
        : rows >= 4 && depth <= LeadingFloats / 4 ? 4
        : rows % 4 == 2 && depth <= LeadingFloats / 2 ? 2 : 0;

    /// <summary>Four rows and a few columns at a time, and what rows are left.</summary>
    private static void Tiles<TStored>(
        in MatrixProduct p, (int First, int End) rows, (int First, int End) columns, bool prefetches)
        where TStored : struct, IStored
    {
        var most = TileColumns == 6 && columns.End - columns.First is 4 or 8 or 16 ? 4 : TileColumns;
        for (var column = columns.First; column < columns.End;)
        {
            var width = Math.Min(most, columns.End - column);
            width = width switch { 5 => 4, 3 => 2, _ => width };
            var row = rows.First;
            for (; row <= rows.End - TileRows; row += TileRows)
            {
                Tile<TStored>(p, row, column, width, prefetches && row == rows.First);
            }

            Stream<TStored>(p, (row, rows.End), (column, column + width));
            column += width;
        }
    }

    /// <summary>At most four rows.</summary>
    private static void Stream<TStored>(in MatrixProduct p, (int First, int End) rows, (int First, int End) columns)
        where TStored : struct, IStored
    {
        var row = rows.First;
        if (rows.End - row >= 4)
        {
            DotStream<TLanes, TStored, OfFour>.Multiply(p, row, columns);
            row += 4;
        }

        if (rows.End - row >= 2)
        {
            DotStream<TLanes, TStored, OfTwo>.Multiply(p, row, columns);
            row += 2;
        }

        if (rows.End > row)
        {
            DotStream<TLanes, TStored, OfOne>.Multiply(p, row, columns);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile<TStored>(in MatrixProduct p, int row, int column, int width, bool prefetches)
        where TStored : struct, IStored
    {
        switch (width)
        {
            case 6:
                DotTile<TLanes, TStored, OfSix>.Multiply(p, row, column, prefetches);
                break;
            case 4:
                DotTile<TLanes, TStored, OfFour>.Multiply(p, row, column, prefetches);
                break;
            case 2:
                DotTile<TLanes, TStored, OfTwo>.Multiply(p, row, column, prefetches);
                break;
            default:
                DotTile<TLanes, TStored, OfOne>.Multiply(p, row, column, prefetches);
                break;
        }
    }
}
