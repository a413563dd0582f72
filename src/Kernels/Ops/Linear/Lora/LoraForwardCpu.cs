namespace SafeLlama.Kernels;

/// <summary>u = drop(x) Aᵀ, chunk by chunk: dropped values exist for one chunk at a time.</summary>
internal sealed unsafe class LoraForwardCpu<TLanes, TThin>
    where TLanes : struct, ILanes<TLanes>
    where TThin : struct, ILanes<TThin>
{
    private const int ChunkRows = LoraChunk<TLanes, TThin>.Rows;

    /// <summary>Chunks of a tile: some 20 µs of work where D is small.</summary>
    private const int ChunksPerTile = 4;

    private readonly TilePool _pool;
    private readonly GrowingScratch _panels = new("packed matrix of a LoRA term");
    private readonly Action<int> _runTile;
    private Tensor _x = null!;
    private Tensor _u = null!;
    private Dropout _dropout;
    private float* _a;

    public LoraForwardCpu(TilePool pool)
    {
        _pool = pool;
        _runTile = RunTile;
    }

    public void Run(Tensor x, in LoraTerm lora)
    {
        (_x, _u, _dropout) = (x, lora.U, lora.Dropout);
        _a = PackedPanels<TThin>.PackAll(MatrixProduct.NT(x, lora.A, lora.U), _panels);
        _pool.For((x.Rows + (ChunksPerTile * ChunkRows) - 1) / (ChunksPerTile * ChunkRows), _runTile);
    }

    private void RunTile(int tile)
    {
        var (inputs, rank) = (_x.Columns, _u.Columns);
        var (xs, us) = (ActivationRows.Of(_x), _u.AsRows<float>());
        var padded = LoraChunk<TLanes, TThin>.Padded(rank);
        var copied = _dropout.IsActive || _x.Type != DType.Float32 ? (long)ChunkRows * inputs : 0;
        var dropped = _dropout.IsActive ? copied : 0;
        float* thin = ThreadScratch.Floats(
            (ChunkRows * padded) + copied + dropped + LoraChunk<TLanes, TThin>.EdgeCount(inputs, 0, rank));
        float* kept = thin + (ChunkRows * padded), factors = kept + copied, edge = factors + dropped;
        var end = Math.Min(_x.Rows, (tile + 1) * ChunksPerTile * ChunkRows);
        for (var row = tile * ChunksPerTile * ChunkRows; row < end; row += ChunkRows)
        {
            var rows = Math.Min(ChunkRows, end - row);
            var wide = xs.Block(row, rows, kept);
            if (_dropout.IsActive)
            {
                DropoutCpu.Drop(_dropout, xs, row, rows, kept, factors);
                wide = new(kept, inputs, rows, inputs);
            }

            LoraChunk<TLanes, TThin>.DownProject(wide, _a, rank, 1, thin, edge);
            for (var i = 0; i < rows; i++)
            {
                new ReadOnlySpan<float>(thin + (i * padded), rank).CopyTo(us[row + i]);
            }
        }
    }
}
