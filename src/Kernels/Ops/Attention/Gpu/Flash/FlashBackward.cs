using ILGPU;
using ILGPU.Runtime.Cuda;

namespace SafeLlama.Kernels;

/// <summary>
/// Attention's gradients on tensor cores: FlashAttention-2's scheme (Dao 2023, arXiv:2307.08691, algorithm 2).
/// </summary>
/// <remarks>
/// Three kernels, so that every sum has one owner and one order, and nothing is added atomically:
/// <code>
///            a group owns    pass by    s      t       o +=
/// query      64 queries      k, v       q kᵀ   dy vᵀ   ds k       dq = scale · o
/// key        64 keys         q, dy      k qᵀ   v dyᵀ   dsᵀ q      dk = scale · o
/// value      64 keys         q, dy      k qᵀ           pᵀ dy      dv = o
/// </code>
/// with p = exp(scale · s − logSum) made anew and ds = p · (t − δ). The first two are one computation: in the second
/// the tile stands transposed, so that p's sums again lie as a left operand wants them. Taking the last two together
/// would spare one of eight products, and want more registers than a thread has at heads of 128.
/// </remarks>
internal static class FlashBackward
{
    private const float Log2E = FlashForward.Log2E;

    [GroupOf(FlashTile.Threads)]
    internal static void QueryKernel<THead>(
        FlashOperands operands, GpuInts firstKey, GpuInts lastKey, AttentionShape shape,
        GpuMatrix<GpuFloat32> logSum, GpuMatrix<GpuFloat32> delta, GpuChunks dq)
        where THead : unmanaged, IHeadSize<THead>
    {
        var (dy, q, k, v) = operands;
        CudaAsm.Emit(FlashPtx.Declare);
        var shared = SharedTile.Base();
        var firstQuery = (Grid.DimX - 1 - Grid.IdxX) * FlashTile.Rows;
        var hull = KeyRange.Of(firstQuery, firstKey, lastKey, shape);
        FlashTile.FillQueries<THead>(FlashTile.Stage<THead>(shared, 0), q, firstQuery, FlashTile.Rows, shape);
        FlashTile.FillQueries<THead>(FlashTile.Stage<THead>(shared, 1), dy, firstQuery, FlashTile.Rows, shape);
        FlashTile.Commit();
        FlashTile.Arrive();
        FlashFragments.LoadRows<THead>(FlashTile.Stage<THead>(shared, 0));
        FlashFragments.LoadOthers<THead>(FlashTile.Stage<THead>(shared, 1));
        FlashFragments.ClearResult<THead>();
        Group.Barrier();
        FlashTile.FillStep<THead>(shared, 0, k, v, hull, shape);
        var scale = shape.Scale * Log2E;
        var (upper, lower) = (FlashRow.Of(firstQuery, 0, shape), FlashRow.Of(firstQuery, 8, shape));
        var (upperFirst, upperLast) = upper.Keys(firstKey, lastKey);
        var (lowerFirst, lowerLast) = lower.Keys(firstKey, lastKey);
        var (upperLevel, lowerLevel) = (-Log2E * logSum[upper.Row, upper.Head], -Log2E * logSum[lower.Row, lower.Head]);
        var (upperDelta, lowerDelta) = (delta[upper.Row, upper.Head], delta[lower.Row, lower.Head]);
        for (var step = 0; hull.First + (step * FlashTile.Passing) <= hull.Last; step++)
        {
            FlashTile.Arrive();
            FlashTile.FillStep<THead>(shared, step + 1, k, v, hull, shape);
            var key = hull.First + (step * FlashTile.Passing);
            var keys = FlashTile.Stage<THead>(shared, step);
            FlashFragments.Scores<THead>(keys);
            FlashFragments.Others<THead>(keys + FlashTile.TileBytes<THead>());
            if (hull.IsPartial(key))
            {
                var column = key + FlashTile.Column;
                CudaAsm.Emit(
                    FlashSoftmaxPtx.HideColumns,
                    upperFirst - column, upperLast - column, lowerFirst - column, lowerLast - column);
            }

            CudaAsm.Emit(FlashSoftmaxPtx.SharesByRow, scale, upperLevel, lowerLevel);
            CudaAsm.Emit(FlashSoftmaxPtx.SlopesByRow, upperDelta, lowerDelta);
            FlashFragments.Gather<THead>(keys);
        }

        Finish<THead>(shared, shape.Scale);
        FlashTile.CopyOut<THead>(SharedMemory.GetDynamic<Chunk>(), dq, firstQuery, true, shape);
    }

    [GroupOf(FlashTile.Threads)]
    internal static void KeyKernel<THead>(
        FlashOperands operands, GpuInts firstKey, GpuInts lastKey, AttentionShape shape, FlashStatistics statistics,
        GpuChunks dk)
        where THead : unmanaged, IHeadSize<THead>
    {
        var (dy, q, k, v) = operands;
        CudaAsm.Emit(FlashPtx.Declare);
        var shared = SharedTile.Base();
        var firstKeyRow = Grid.IdxX * FlashTile.Rows;
        FlashTile.FillKeys<THead>(FlashTile.Stage<THead>(shared, 0), k, firstKeyRow, FlashTile.Rows, shape);
        FlashTile.FillKeys<THead>(FlashTile.Stage<THead>(shared, 1), v, firstKeyRow, FlashTile.Rows, shape);
        FlashTile.Commit();
        var hull = QueryRange.Of(firstKeyRow, firstKey, lastKey, shape);
        FlashTile.Arrive();
        FlashFragments.LoadRows<THead>(FlashTile.Stage<THead>(shared, 0));
        FlashFragments.LoadOthers<THead>(FlashTile.Stage<THead>(shared, 1));
        FlashFragments.ClearResult<THead>();
        Group.Barrier();
        FillQueries<THead>(shared, 0, q, dy, statistics, hull, shape);
        var scale = shape.Scale * Log2E;
        var key = firstKeyRow + FlashTile.Row;
        for (var step = 0; hull.First + (step * FlashTile.Passing) <= hull.Last; step++)
        {
            FlashTile.Arrive();
            FillQueries<THead>(shared, step + 1, q, dy, statistics, hull, shape);
            var queries = FlashTile.Stage<THead>(shared, step);
            var columns = FlashTile.Statistics<THead>(shared, step) + (uint)(4 * FlashTile.Column);
            FlashFragments.Scores<THead>(queries);
            FlashFragments.Others<THead>(queries + FlashTile.TileBytes<THead>());
            CudaAsm.Emit(FlashSoftmaxPtx.HideRows, columns, key, key + 8);
            CudaAsm.Emit(FlashSoftmaxPtx.SharesByColumn, scale, columns);
            CudaAsm.Emit(FlashSoftmaxPtx.SlopesByColumn, columns);
            FlashFragments.Gather<THead>(queries);
        }

        Finish<THead>(shared, shape.Scale);
        FlashTile.CopyOut<THead>(SharedMemory.GetDynamic<Chunk>(), dk, firstKeyRow, false, shape);
    }

    [GroupOf(FlashTile.Threads)]
    internal static void ValueKernel<THead>(
        FlashOperand dy, FlashOperand q, FlashOperand k, GpuInts firstKey, GpuInts lastKey, AttentionShape shape,
        FlashStatistics statistics, GpuChunks dv)
        where THead : unmanaged, IHeadSize<THead>
    {
        CudaAsm.Emit(FlashPtx.Declare);
        var shared = SharedTile.Base();
        var firstKeyRow = Grid.IdxX * FlashTile.Rows;
        FlashTile.FillKeys<THead>(FlashTile.Stage<THead>(shared, 1), k, firstKeyRow, FlashTile.Rows, shape);
        FlashTile.Commit();
        var hull = QueryRange.Of(firstKeyRow, firstKey, lastKey, shape);
        FillQueries<THead>(shared, 0, q, dy, statistics, hull, shape);
        FlashTile.Arrive();
        FlashFragments.LoadRows<THead>(FlashTile.Stage<THead>(shared, 1));
        FlashFragments.ClearResult<THead>();
        var scale = shape.Scale * Log2E;
        var key = firstKeyRow + FlashTile.Row;
        for (var step = 0; hull.First + (step * FlashTile.Passing) <= hull.Last; step++)
        {
            FlashTile.Arrive();
            FillQueries<THead>(shared, step + 1, q, dy, statistics, hull, shape);
            var queries = FlashTile.Stage<THead>(shared, step);
            var columns = FlashTile.Statistics<THead>(shared, step) + (uint)(4 * FlashTile.Column);
            FlashFragments.Scores<THead>(queries);
            CudaAsm.Emit(FlashSoftmaxPtx.HideRows, columns, key, key + 8);
            CudaAsm.Emit(FlashSoftmaxPtx.SharesByColumn, scale, columns);
            FlashFragments.Gather<THead>(queries + FlashTile.TileBytes<THead>());
        }

        Finish<THead>(shared, 1f);
        FlashTile.CopyOut<THead>(SharedMemory.GetDynamic<Chunk>(), dv, firstKeyRow, false, shape);
    }

    /// <summary>Lays factor · o out in shared memory once all have left it.</summary>
    private static void Finish<THead>(uint shared, float factor)
        where THead : unmanaged, IHeadSize<THead>
    {
        CudaAsm.Emit(FlashSoftmaxPtx.Scale, factor);
        FlashFragments.Rescale<THead>();
        FlashTile.Arrive();
        FlashFragments.Store<THead>(shared);
    }

    /// <summary>
    /// Requests a tile of queries and one of dy, with the statistics of each query. A step past the last requests
    /// nothing, but counts as one.
    /// </summary>
    private static void FillQueries<THead>(
        uint shared, int step, FlashOperand q, FlashOperand dy, in FlashStatistics statistics, in QueryRange hull,
        in AttentionShape shape)
        where THead : unmanaged, IHeadSize<THead>
    {
        var query = hull.First + (step * FlashTile.Passing);
        if (query <= hull.Last)
        {
            var tile = FlashTile.Stage<THead>(shared, step);
            FlashTile.FillQueries<THead>(tile, q, query, FlashTile.Passing, shape);
            FlashTile.FillQueries<THead>(tile + FlashTile.TileBytes<THead>(), dy, query, FlashTile.Passing, shape);
            FlashTile.FillStatistics(FlashTile.Statistics<THead>(shared, step), statistics, query, shape);
        }

        FlashTile.Commit();
    }
}
