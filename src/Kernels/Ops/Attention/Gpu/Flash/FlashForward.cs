using ILGPU;
using ILGPU.Runtime.Cuda;

namespace SafeLlama.Kernels;

/// <summary>
/// Attention's forward pass on tensor cores: FlashAttention-2's scheme (Dao 2023, arXiv:2307.08691, algorithm 1).
/// </summary>
/// <remarks>
/// A group owns 64 queries of one key-value head; keys and values go by, 32 at a time:
/// <code>
/// s  = q kᵀ                        tensor cores; 16 × 32 scores in registers of a warp
/// e  = max(m, rowmax s)            the four lanes of a row
/// w  = exp(scale · (m − e))        what older sums are worth under the new maximum
/// p  = exp(scale · (s − e))
/// l  = w · l + rowsum p
/// o  = w · o + p v                 tensor cores; p rounded to bf16 where it lies
/// </code>
/// and at the end y = o / l and logSum = scale · m + log l. Scores never leave the registers.
/// </remarks>
internal static class FlashForward
{
    /// <summary>log₂ e: exponentials are powers of two on the device.</summary>
    public const float Log2E = 1.44269504f;

    [GroupOf(FlashTile.Threads)]
    internal static void ForwardKernel<THead>(
        FlashOperand q, FlashOperand k, FlashOperand v, GpuInts firstKey, GpuInts lastKey, AttentionShape shape,
        GpuChunks y, FlashOperand logSum)
        where THead : unmanaged, IHeadSize<THead>
    {
        CudaAsm.Emit(FlashPtx.Declare);
        var shared = SharedTile.Base();

        // The last queries see most keys: they begin first, so that no long group is left for the end.
        var firstQuery = (Grid.DimX - 1 - Grid.IdxX) * FlashTile.Rows;
        var hull = KeyRange.Of(firstQuery, firstKey, lastKey, shape);
        FlashTile.FillQueries<THead>(FlashTile.Stage<THead>(shared, 1), q, firstQuery, FlashTile.Rows, shape);
        FlashTile.FillStep<THead>(shared, 0, k, v, hull, shape);
        FlashTile.Arrive();
        FlashFragments.LoadRows<THead>(FlashTile.Stage<THead>(shared, 1));
        FlashFragments.ClearResult<THead>();
        CudaAsm.Emit(FlashSoftmaxPtx.Begin);
        var scale = shape.Scale * Log2E;
        var (upper, lower) = (FlashRow.Of(firstQuery, 0, shape), FlashRow.Of(firstQuery, 8, shape));
        var (upperFirst, upperLast) = upper.Keys(firstKey, lastKey);
        var (lowerFirst, lowerLast) = lower.Keys(firstKey, lastKey);
        for (var step = 0; hull.First + (step * FlashTile.Passing) <= hull.Last; step++)
        {
            FlashTile.Arrive();
            FlashTile.FillStep<THead>(shared, step + 1, k, v, hull, shape);
            var key = hull.First + (step * FlashTile.Passing);
            var tile = FlashTile.Stage<THead>(shared, step);
            FlashFragments.Scores<THead>(tile);
            if (hull.IsPartial(key))
            {
                var column = key + FlashTile.Column;
                CudaAsm.Emit(
                    FlashSoftmaxPtx.HideColumns,
                    upperFirst - column, upperLast - column, lowerFirst - column, lowerLast - column);
            }

            CudaAsm.Emit(FlashSoftmaxPtx.Maximum);
            CudaAsm.Emit(FlashSoftmaxPtx.Worth, scale);
            CudaAsm.Emit(FlashSoftmaxPtx.Shares, scale);
            FlashFragments.Rescale<THead>();
            FlashFragments.Gather<THead>(tile + FlashTile.TileBytes<THead>());
        }

        CudaAsm.Emit(FlashSoftmaxPtx.Finish, scale);
        CudaAsm.Emit(
            FlashSoftmaxPtx.StoreLogSum, upper.Place(logSum), lower.Place(logSum), upper.Speaks, lower.Speaks);
        FlashFragments.Rescale<THead>();
        FlashTile.Arrive();
        FlashFragments.Store<THead>(shared);
        FlashTile.CopyOut<THead>(SharedMemory.GetDynamic<Chunk>(), y, firstQuery, true, shape);
    }
}

/// <summary>One of a lane's two rows of queries.</summary>
/// <param name="Row">n; 0 past the last query.</param>
/// <param name="Head">h.</param>
/// <param name="IsInside">Whether there is such a query.</param>
internal readonly record struct FlashRow(int Row, int Head, bool IsInside)
{
    public static FlashRow Of(int firstQuery, int below, in AttentionShape shape)
    {
        var query = firstQuery + FlashTile.Row + below;
        return new(query < shape.Queries ? shape.RowOf(query) : 0, shape.HeadOf(query), query < shape.Queries);
    }

    /// <summary>1 in the one lane of four that speaks for the row.</summary>
    public int Speaks => IsInside && (FlashTile.Lane & 3) == 0 ? 1 : 0;

    /// <summary>The keys that the row sees; none past the last query.</summary>
    public (int First, int Last) Keys(GpuInts firstKey, GpuInts lastKey) =>
        IsInside ? (firstKey[Row], lastKey[Row]) : (int.MaxValue, -1);

    /// <summary>The device address of the row's statistic.</summary>
    public long Place(FlashOperand statistics) => statistics.Address + ((((long)Row * statistics.Stride) + Head) * 4);
}
