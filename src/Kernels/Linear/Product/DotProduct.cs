using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>
/// A product of few rows (decoding, a short prompt) or few columns (LoRA's down-projection), nothing packed.
/// </summary>
/// <remarks>
/// A few columns of the weight at a time are met by all rows of A: the weight comes from memory once, at the pace
/// memory allows, and A stays in cache. Each element is summed in the same order wherever it stands in a tile.
/// </remarks>
internal static unsafe class DotProduct<TLanes>
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>Rows of a <see cref="DotTile{TLanes, TStored, TSize}"/>.</summary>
    private const int TileRows = 4;

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
            default:
                Run<StoredFloat32>(p, rows, columns);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TStored>(in MatrixProduct p, (int First, int End) rows, (int First, int End) columns)
        where TStored : struct, IStored
    {
        if (rows.End - rows.First <= 2)
        {
            DotStream<TLanes, TStored>.Multiply(p, rows, columns);
            return;
        }

        var most = TileColumns == 6 && columns.End - columns.First is 4 or 8 or 16 ? 4 : TileColumns;
        for (var column = columns.First; column < columns.End;)
        {
            var width = Math.Min(most, columns.End - column);
            width = width switch { 5 => 4, 3 => 2, _ => width };
            var row = rows.First;
            for (; row <= rows.End - TileRows; row += TileRows)
            {
                Tile<TStored>(p, row, column, width, asks: row == rows.First);
            }

            for (; row < rows.End; row += 2)
            {
                DotStream<TLanes, TStored>.Multiply(p, (row, Math.Min(row + 2, rows.End)), (column, column + width));
            }

            column += width;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile<TStored>(in MatrixProduct p, int row, int column, int width, bool asks)
        where TStored : struct, IStored
    {
        switch (width)
        {
            case 6:
                DotTile<TLanes, TStored, SixColumns>.Multiply(p, row, column, asks);
                break;
            case 4:
                DotTile<TLanes, TStored, FourColumns>.Multiply(p, row, column, asks);
                break;
            case 2:
                DotTile<TLanes, TStored, TwoColumns>.Multiply(p, row, column, asks);
                break;
            default:
                DotTile<TLanes, TStored, OneColumn>.Multiply(p, row, column, asks);
                break;
        }
    }
}
