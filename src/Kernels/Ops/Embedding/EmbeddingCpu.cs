namespace SafeLlama.Kernels;

/// <summary>
/// Rows in tiles forward; backward in tiles of columns, so equal tokens add up in rising order of rows.
/// </summary>
internal sealed unsafe class EmbeddingCpu<TLanes>(TilePool pool) : Embedding
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>Columns of dweight that one tile sums: a few cache lines of every row.</summary>
    private const int ColumnsPerTile = 128;

    protected override void ForwardCore(Tensor tokens, Tensor weight, Tensor y)
    {
        tokens.RequireIndices(0, weight.Rows, "a token is a row of the table");
        var op = (Tokens: tokens.AsElements<int>(), weight, Y: y.AsRows<float>());
        pool.ForRows(y.Rows, y.Columns, op, static (in t, first, end) =>
        {
            for (var n = first; n < end; n++)
            {
                StoredRows.Decode(t.weight, t.Tokens[n], t.Y.At(n));
            }
        });
    }

    protected override void BackwardCore(Tensor dy, Tensor tokens, Tensor dweight)
    {
        tokens.RequireIndices(0, dweight.Rows, "a token is a row of the table");
        var op = (Dy: dy.AsRows<float>(), Tokens: tokens.AsElements<int>(), Dw: dweight.AsRows<float>());
        pool.For((dy.Columns + ColumnsPerTile - 1) / ColumnsPerTile, op, static (in t, tile) =>
        {
            var (first, end) = (tile * ColumnsPerTile, Math.Min(t.Dy.Columns, (tile + 1) * ColumnsPerTile));
            for (var n = 0; n < t.Tokens.Count; n++)
            {
                var from = t.Dy.At(n) + first;
                var to = t.Dw.At(t.Tokens[n]) + first;
                LaneMath.AddScaled<TLanes>(1, from, to, end - first);
            }
        });
    }
}
