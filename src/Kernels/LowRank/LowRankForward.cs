namespace SafeLlama.Kernels;

/// <summary>u = drop(x) Aᵀ and y += s · u Bᵀ, chunk by chunk.</summary>
internal sealed unsafe class LowRankForward<TLanes, TThin>
    where TLanes : struct, ILanes<TLanes>
    where TThin : struct, ILanes<TThin>
{
    private const int ChunkRows = LowRankChunk<TLanes, TThin>.Rows;

    /// <summary>Chunks of a tile: some 20 µs of work where D is small.</summary>
    private const int ChunksPerTile = 4;

    private readonly TilePool _pool;
    private readonly GrowingScratch _panels = new("packed matrices of a LoRA branch");
    private readonly Action<int> _runTile;
    private Tensor _x = null!;
    private Tensor _y = null!;
    private Tensor _u = null!;
    private Dropout _dropout;
    private float _scale;
    private float* _a;
    private float* _b;

    public LowRankForward(TilePool pool)
    {
        _pool = pool;
        _runTile = RunTile;
    }

    public void Run(Tensor x, Tensor a, Tensor b, float scale, Dropout dropout, Tensor u, Tensor y)
    {
        (_x, _y, _u, _dropout, _scale) = (x, y, u, dropout, scale);
        var (down, up) = (MatrixProduct.TimesTransposed(x, a, u), MatrixProduct.TimesTransposed(u, b, y));
        var count = PackedCount<TThin>(down);
        _a = _panels.Floats(count + PackedCount<TLanes>(up));
        _b = _a + count;
        Pack<TThin>(down, _a);
        Pack<TLanes>(up, _b);
        _pool.For((x.Rows + (ChunksPerTile * ChunkRows) - 1) / (ChunksPerTile * ChunkRows), _runTile);
    }

    /// <summary>Floats of all panels of B, and what packing writes after them.</summary>
    public static long PackedCount<T>(in MatrixProduct p)
        where T : struct,
        ILanes<T> => ((long)(p.Columns + Panels<T>.Width) * p.Depth) + Panels<T>.Slack + Panels<T>.Width;

    public static void Pack<T>(in MatrixProduct p, float* panels)
        where T : struct, ILanes<T>
    {
        var stage = panels + ((long)(p.Columns + Panels<T>.Width) * p.Depth) + (4 * Panels<T>.Width);
        Panels<T>.Pack(p, 0, p.Columns, 0, p.Depth, panels, stage);
    }

    private void RunTile(int tile)
    {
        var (inputs, outputs, rank) = (_x.Columns, _y.Columns, _u.Columns);
        var (xs, ys, us) = (_x.AsRows<float>(), _y.AsRows<float>(), _u.AsRows<float>());
        var padded = LowRankChunk<TLanes, TThin>.Padded(rank);
        var dropped = _dropout.IsActive ? (long)ChunkRows * inputs : 0;
        float* thin = ThreadScratch.Floats(
            (ChunkRows * padded) + (2 * dropped) + LowRankChunk<TLanes, TThin>.EdgeCount(inputs, outputs, rank));
        float* kept = thin + (ChunkRows * padded), factors = kept + dropped, edge = factors + dropped;
        var end = Math.Min(_x.Rows, (tile + 1) * ChunksPerTile * ChunkRows);
        for (var row = tile * ChunksPerTile * ChunkRows; row < end; row += ChunkRows)
        {
            var rows = Math.Min(ChunkRows, end - row);
            float* x = xs.At(row);
            nint stride = xs.Stride;
            if (_dropout.IsActive)
            {
                DropoutSimd.Drop(_dropout, xs, row, rows, kept, factors);
                x = kept;
                stride = inputs;
            }

            LowRankChunk<TLanes, TThin>.Narrow(x, stride, rows, _a, inputs, rank, 1, thin, edge);
            for (var i = 0; i < rows; i++)
            {
                new ReadOnlySpan<float>(thin + (i * padded), rank).CopyTo(us[row + i]);
            }

            LowRankChunk<TLanes, TThin>.Widen(
                thin, rows, _b, rank, outputs, _scale, ys.At(row), ys.Stride, add: true, edge,
                new ComingRows(xs.At(row + rows), xs.Stride, Math.Min(ChunkRows, _x.Rows - row - rows), inputs));
        }
    }
}
