using System.Runtime.InteropServices;

namespace SafeLlama.Kernels;

/// <summary>
/// The gradients of a LoRA term, chunk by chunk; dA and dB in parts of rows that are added up in order.
/// </summary>
/// <remarks>
/// The parts are cut by the shape alone, so any number of threads gives the same bytes. Each part has its own sums, dA
/// and the transpose of dB, whose rows are as long as those of dy.
/// </remarks>
internal sealed unsafe class LoraBackwardCpu<TLanes, TThin>
    where TLanes : struct, ILanes<TLanes>
    where TThin : struct, ILanes<TThin>
{
    private const int ChunkRows = LoraChunk<TLanes, TThin>.Rows;

    /// <summary>Chunks of a part at least: adding up a part's sums must cost little beside making them.</summary>
    private const int LeastChunks = 5;

    /// <summary>As many threads as this can share the work.</summary>
    private const int MostParts = 16;

    private const int ColumnsPerTile = 1024;

    private readonly TilePool _pool;
    private readonly GrowingScratch _scratch = new("gradients of a LoRA term");
    private readonly GrowingScratch _packedA = new("packed matrix of a LoRA term");
    private readonly GrowingScratch _packedB = new("packed matrix of a LoRA term");
    private readonly Action<int> _runPart;
    private readonly Action<int> _addUp;
    private Tensor _dy = null!;
    private Tensor _x = null!;
    private Tensor? _dx;
    private LoraTerm _lora;
    private LoraGradients _into;
    private float* _a;
    private float* _b;
    private float* _sums;
    private int _parts;
    private int _chunksPerPart;
    private bool _knowsDu;

    public LoraBackwardCpu(TilePool pool)
    {
        _pool = pool;
        (_runPart, _addUp) = (RunPart, AddUp);
    }

    private int Rank => _lora.A.Rows;

    private int Inputs => _x.Columns;

    private int Outputs => _dy.Columns;

    /// <summary>Floats from row to row of a part's sums: dA's columns, then dBᵀ's, each in whole vectors.</summary>
    private int SumStride => WholeVectors(Inputs) + WholeVectors(Outputs);

    private long SumCount => (long)LoraChunk<TLanes, TThin>.Padded(Rank) * SumStride;

    /// <param name="also">
    /// What dx is added to under dropout, where du A is dropped as x was, else null; and whether du is there already.
    /// </param>
    public void Run(
        Tensor dy, Tensor x, in LoraTerm lora, in LoraGradients into, (Tensor? Dx, bool KnowsDu) also)
    {
        (_dy, _x, _lora, _into) = (dy, x, lora, into);
        (_dx, _knowsDu) = also;
        (_parts, _chunksPerPart) = Cut(x.Rows);
        _sums = _scratch.Floats(_parts * SumCount);
        _b = _knowsDu ? null : PackedPanels<TThin>.PackAll(MatrixProduct.NN(dy, lora.B, lora.U), _packedB);
        _a = _dx is null ? null : PackedPanels<TLanes>.PackAll(MatrixProduct.NN(lora.U, lora.A, x), _packedA);
        _pool.For(_parts, _runPart);
        _pool.For((SumStride + ColumnsPerTile - 1) / ColumnsPerTile, _addUp);
    }

    /// <summary>Floats of scratch of one thread, at most; forward asks for fewer.</summary>
    public static long ThreadCount(in WorkSize work) => work.Rank == 0 ? 0
        : ThreadCount(
            work.Columns, work.Columns, work.Rank, 2 * ChunkRows * (long)work.Columns,
            work.Drops ? ChunkRows * (long)work.Columns : 0);

    /// <summary>
    /// Floats of the sums of all parts, and of packed matrices, at most: two in backward, one in forward and one beside
    /// the product.
    /// </summary>
    public static long SharedCount(in WorkSize work)
    {
        if (work.Rank == 0)
        {
            return 0;
        }

        const int PackedMatrices = 4;
        var (width, padded) = (PackedPanels<TLanes>.Width, LoraChunk<TLanes, TThin>.Padded(work.Rank));
        var packed = ((long)(padded + width) * (work.Columns + width)) + PackedPanels<TLanes>.Slack;
        return (Cut(work.Rows).Parts * (long)padded * 2 * WholeVectors(work.Columns)) + (PackedMatrices * packed);
    }

    /// <param name="copied">Floats of a chunk of x and of dy, where they are widened or dropped.</param>
    /// <param name="dropped">The same, where it is dropped.</param>
    private static long ThreadCount(int inputs, int outputs, int rank, long copied, long dropped) =>
        (2L * ChunkRows * LoraChunk<TLanes, TThin>.Padded(rank)) + copied + (2 * dropped)
            + LoraChunk<TLanes, TThin>.EdgeCount(inputs, outputs, rank);

    /// <summary>Rows in parts, each of whole chunks: by the shape alone.</summary>
    private static (int Parts, int Chunks) Cut(int rows)
    {
        var chunks = (rows + ChunkRows - 1) / ChunkRows;
        var each = Math.Max(LeastChunks, (chunks + MostParts - 1) / MostParts);
        return ((chunks + each - 1) / each, each);
    }

    private static int WholeVectors(int columns) => (columns + TLanes.Count - 1) / TLanes.Count * TLanes.Count;

    private void RunPart(int part)
    {
        var (rank, inputs, outputs, stride) = (Rank, Inputs, Outputs, SumStride);
        var (padded, scale) = (LoraChunk<TLanes, TThin>.Padded(rank), (float)_lora.Scale);
        var (xs, dys) = (ActivationRows.Of(_x), ActivationRows.Of(_dy));
        var (us, dus) = (_lora.U.AsRows<float>(), _into.U.AsRows<float>());
        var copied = _lora.Dropout.IsActive ? (long)ChunkRows * inputs : 0;
        var widened = _b != null && _dy.Type != DType.Float32 ? (long)ChunkRows * outputs : 0;
        float* u = ThreadScratch.Floats(ThreadCount(inputs, outputs, rank, copied + widened, copied));
        float* du = u + (ChunkRows * padded), kept = du + (ChunkRows * padded), factors = kept + copied;
        float* dkept = factors + copied, gradients = dkept + copied, edge = gradients + widened;
        float* da = _sums + (part * SumCount), db = da + WholeVectors(inputs);
        NativeMemory.Clear(da, (nuint)(SumCount * sizeof(float)));
        NativeMemory.Clear(u, (nuint)(2 * ChunkRows * padded * sizeof(float)));
        var end = Math.Min(_x.Rows, (part + 1) * _chunksPerPart * ChunkRows);
        for (var row = part * _chunksPerPart * ChunkRows; row < end; row += ChunkRows)
        {
            var rows = Math.Min(ChunkRows, end - row);
            for (var i = 0; i < rows; i++)
            {
                us[row + i].CopyTo(new Span<float>(u + (i * padded), rank));
            }

            var dy = _b == null ? dys.Stored(row, rows) : dys.Block(row, rows, gradients);
            if (_b != null)
            {
                LoraChunk<TLanes, TThin>.DownProject(dy, _b, rank, scale, du, edge);
            }

            for (var i = 0; i < rows; i++)
            {
                var chunk = new Span<float>(du + (i * padded), rank);
                if (_b != null)
                {
                    chunk.CopyTo(dus[row + i]);
                }
                else
                {
                    dus[row + i].CopyTo(chunk);
                }
            }

            LoraChunk<TLanes, TThin>.AddOuter(
                u, rank, dy, scale, db, stride, edge, xs.Prefetch(row, rows));
            var x = xs.Stored(row, rows);
            if (_lora.Dropout.IsActive)
            {
                DropoutCpu.Drop(_lora.Dropout, xs, row, rows, kept, factors);
                x = new(kept, inputs, rows, inputs);
            }

            var next = dys.Prefetch(row + rows, Math.Min(ChunkRows, _x.Rows - row - rows));
            LoraChunk<TLanes, TThin>.AddOuter(du, rank, x, 1, da, stride, edge, next);
            if (_dx is not null)
            {
                AddDropped(du, rows, factors, dkept, row, edge);
            }
        }
    }

    /// <summary>dx += factor · (du A).</summary>
    private void AddDropped(float* du, int rows, float* factors, float* dkept, int row, float* edge)
    {
        var dxs = _dx!.AsRows<float>();
        LoraChunk<TLanes, TThin>.UpProject(du, Rank, _a, new(dkept, Inputs, rows, Inputs), edge);
        for (var i = 0; i < rows; i++)
        {
            var at = (long)i * Inputs;
            VectorMath.AddProduct(factors + at, dkept + at, dxs.At(row + i), Inputs);
        }
    }

    /// <summary>
    /// Some columns of dA and dBᵀ: the first part's sums gather the others', and then join the gradients.
    /// </summary>
    private void AddUp(int tile)
    {
        var (rank, inputs, outputs, stride, partCount) = (Rank, Inputs, Outputs, SumStride, SumCount);
        var (first, end) = (tile * ColumnsPerTile, Math.Min(stride, (tile + 1) * ColumnsPerTile));
        var (das, dbs, bFirst) = (_into.A.AsRows<float>(), _into.B.AsRows<float>(), WholeVectors(inputs));
        for (var k = 0; k < rank; k++)
        {
            var sums = _sums + ((long)k * stride);
            for (var part = 1; part < _parts; part++)
            {
                LaneMath.AddScaled<TLanes>(1, sums + (part * partCount) + first, sums + first, end - first);
            }

            if (first < inputs)
            {
                LaneMath.AddScaled<TLanes>(1, sums + first, das.At(k) + first, Math.Min(end, inputs) - first);
            }

            for (var column = Math.Max(first, bFirst); column < Math.Min(end, bFirst + outputs); column++)
            {
                dbs.At(column - bFirst)[k] += sums[column];
            }
        }
    }
}
