namespace SafeLlama.Kernels;

/// <summary>Computes the rows first … end − 1.</summary>
/// <param name="op">The operands of the op, common to all rows.</param>
internal delegate void RowsBody<TOp>(in TOp op, int first, int end);

/// <summary>Divides the work of row-wise ops into tiles by the shape alone, not by the number of threads.</summary>
internal static class TileSplit
{
    /// <summary>
    /// About 20 µs of streaming work: long compared with assigning a tile, short compared with an op.
    /// </summary>
    private const int ElementsPerTile = 1 << 15;

    /// <summary>Runs <paramref name="body"/> on ranges first … end − 1 that together are all rows.</summary>
    /// <param name="pool">The threads.</param>
    /// <param name="rows">How many rows there are.</param>
    /// <param name="columns">Elements that one row costs.</param>
    /// <param name="op">The operands, common to all ranges.</param>
    /// <param name="body">Called with the first row of a range and the row after its last.</param>
    public static void ForRows<TOp>(this TilePool pool, int rows, long columns, in TOp op, RowsBody<TOp> body)
    {
        var rowsPerTile = (int)Math.Clamp(ElementsPerTile / Math.Max(1, columns), 1, Math.Max(1, rows));
        pool.For(
            (rows + rowsPerTile - 1) / rowsPerTile,
            (op, body, rows, rowsPerTile),
            static (in t, tile) =>
                t.body(in t.op, tile * t.rowsPerTile, Math.Min(t.rows, (tile + 1) * t.rowsPerTile)));
    }
}
