using ILGPU;
using ILGPU.Algorithms;
using SafeLlama.Common;

namespace SafeLlama.Kernels;

/// <summary>Attention on a device: a thread group per tile of queries, keys passing through shared memory.</summary>
public sealed class AttentionGpu : Attention, IDisposable
{
    /// <summary>Queries in a tile.</summary>
    private const int Queries = 16;

    private const int Pitch = AttentionTile.Pitch;

    private readonly GpuKernel _forward;
    private readonly GpuKernel _delta;
    private readonly GpuKernel _backwardQuery;
    private readonly GpuKernel _backwardKey;
    private readonly FlashAttention? _tensorCores;
    private readonly SplitAttention _split;

    internal AttentionGpu(GpuDevice device)
    {
        _forward = new(device, typeof(AttentionGpu), nameof(ForwardKernel));
        _delta = new(device, typeof(AttentionGpuBackward), nameof(AttentionGpuBackward.DeltaKernel));
        _backwardQuery = new(device, typeof(AttentionGpuBackward), nameof(AttentionGpuBackward.QueryKernel));
        _backwardKey = new(device, typeof(AttentionGpuBackward), nameof(AttentionGpuBackward.KeyValueKernel));
        _tensorCores = device.HasTensorCores ? new(device) : null;
        _split = new(device);
    }

    internal long HeldScratch => _split.HeldScratch;

    public void Dispose() => _split.Dispose();

    protected override void ForwardCore(in AttentionInput input, Tensor y, Tensor logSum)
    {
        var (q, k, v, firstKey, lastKey, headDim, scale) = input;
        var shape = ShapeOf(q, k, headDim, scale);
        if (SplitAttention.Supports(q, k))
        {
            _split.Forward(input, shape, y, logSum);
            return;
        }

        if (_tensorCores is not null && FlashAttention.Supports(headDim, scale, q, k, v, y))
        {
            _tensorCores.Forward(input, shape, y, logSum);
            return;
        }

        _forward.Launch(Tiles(shape, Queries, k), q, k, v, firstKey, lastKey, shape, y, logSum);
    }

    protected override void BackwardCore(
        Tensor dy, in AttentionInput input, Tensor y, Tensor logSum, Tensor delta, in AttentionGradients into)
    {
        var (q, k, v, firstKey, lastKey, headDim, scale) = input;
        var (dq, dk, dv) = into;
        var shape = ShapeOf(q, k, headDim, scale);
        _delta.LaunchRows(q.Rows, logSum.Columns, dy, y, logSum.Columns, headDim, delta);
        if (_tensorCores is not null && FlashAttention.Supports(headDim, scale, dy, q, k, v, dq, dk, dv))
        {
            _tensorCores.Backward(dy, input, shape, logSum, delta, into);
            return;
        }

        object?[] operands = [q, k, v, firstKey, lastKey];
        _backwardQuery.Launch(
            Tiles(shape, AttentionGpuBackward.QueriesOfDq, k), dy, operands, shape, logSum, delta, dq);
        var keyTiles = new Index2D(((k.Rows - 1) / AttentionTile.Keys) + 1, k.Columns / headDim);
        _backwardKey.Launch(keyTiles, dy, operands, shape, logSum, delta, dk, dv);
    }

    /// <summary>
    /// Each tile of keys updates every query's running maximum m, Σ exp(s − m) and Σ exp(s − m) · v; what was summed
    /// under a smaller maximum is scaled down (Milakov and Gimelshein 2018, arXiv:1805.02867).
    /// </summary>
    internal static void ForwardKernel<T>(
        GpuMatrix<T> q, GpuMatrix<T> k, GpuMatrix<T> v, GpuInts firstKey, GpuInts lastKey, AttentionShape shape,
        GpuResult<T> y, GpuResult<GpuFloat32> logSum)
        where T : unmanaged, IGpuActivation<T>
    {
        var queries = SharedMemory.Allocate<float>(Queries * Pitch);
        var outputs = SharedMemory.Allocate<float>(Queries * Pitch);
        var keys = SharedMemory.Allocate<float>(AttentionTile.Keys * Pitch);
        var scores = SharedMemory.Allocate<float>(Queries * AttentionTile.Keys);
        var maxima = SharedMemory.Allocate<float>(Queries);
        var sums = SharedMemory.Allocate<float>(Queries);
        var rescale = SharedMemory.Allocate<float>(Queries);
        var firstQuery = Grid.IdxX * Queries;
        AttentionTile.LoadQueries(q, queries, firstQuery, Queries, shape.Scale, shape);
        AttentionTile.Clear(outputs, Queries);
        for (var r = Group.IdxX; r < Queries; r += Group.DimX)
        {
            (maxima[r], sums[r]) = (float.NegativeInfinity, 0f);
        }

        var (first, last) = AttentionTile.KeysOf(firstQuery, Queries, firstKey, lastKey, shape);
        for (var key = first; key <= last; key += AttentionTile.Keys)
        {
            AttentionTile.LoadKeys(k, keys, key, shape);
            Group.Barrier();
            for (var e = Group.IdxX; e < Queries * AttentionTile.Keys; e += Group.DimX)
            {
                var (r, c) = (e / AttentionTile.Keys, e % AttentionTile.Keys);
                scores[e] = AttentionTile.Sees(firstQuery + r, key + c, firstKey, lastKey, shape)
                    ? AttentionTile.Dot(queries, r, keys, c, shape.HeadDim)
                    : float.NegativeInfinity;
            }

            Group.Barrier();
            AttentionTile.LoadKeys(v, keys, key, shape);
            for (var r = Group.IdxX; r < Queries; r += Group.DimX)
            {
                rescale[r] = Renormalize(scores, r, maxima, sums);
            }

            Group.Barrier();
            for (var e = Group.IdxX; e < Queries * shape.HeadDim; e += Group.DimX)
            {
                var (r, i) = (e / shape.HeadDim, e % shape.HeadDim);
                var sum = outputs[(r * Pitch) + i] * rescale[r];
                for (var c = 0; c < AttentionTile.Keys; c++)
                {
                    sum += scores[(r * AttentionTile.Keys) + c] * keys[(c * Pitch) + i];
                }

                outputs[(r * Pitch) + i] = sum;
            }

            Group.Barrier();
        }

        for (var e = Group.IdxX; e < Queries * shape.HeadDim; e += Group.DimX)
        {
            var (r, i) = (e / shape.HeadDim, e % shape.HeadDim);
            var t = firstQuery + r;
            if (t < shape.Queries)
            {
                y[shape.RowOf(t), shape.ColumnOf(t) + i] = outputs[(r * Pitch) + i] / sums[r];
                if (i == 0)
                {
                    logSum[shape.RowOf(t), shape.HeadOf(t)] = maxima[r] + XMath.Log(sums[r]);
                }
            }
        }
    }

    /// <summary>
    /// Turns a query's scores into exp(s − m) under the new maximum; returns what the older sums are worth now.
    /// </summary>
    private static float Renormalize(ArrayView<float> scores, int row, ArrayView<float> maxima, ArrayView<float> sums)
    {
        var (at, max) = (row * AttentionTile.Keys, maxima[row]);
        for (var c = 0; c < AttentionTile.Keys; c++)
        {
            max = XMath.Max(max, scores[at + c]);
        }

        // Where nothing has been seen yet all scores are −∞, and a finite stand-in makes every exp 0 instead of NaN.
        var level = max == float.NegativeInfinity ? 0f : max;
        var worth = XMath.Exp(maxima[row] - level);
        var sum = sums[row] * worth;
        for (var c = 0; c < AttentionTile.Keys; c++)
        {
            var p = XMath.Exp(scores[at + c] - level);
            scores[at + c] = p;
            sum += p;
        }

        (maxima[row], sums[row]) = (max, sum);
        return worth;
    }

    private static AttentionShape ShapeOf(Tensor q, Tensor k, int headDim, double scale) =>
        headDim <= AttentionTile.MaxHeadDim
            ? new(q.Rows, k.Rows, q.Columns / k.Columns, headDim, (float)scale)
            : throw SafeLlamaException.Usage(
                $"Attention: heads of {headDim} do not fit the GPU's shared memory, which holds "
                + $"{AttentionTile.MaxHeadDim}.", "use `Device` cpu");

    private static Index2D Tiles(AttentionShape shape, int queries, Tensor k) =>
        new(((shape.Queries - 1) / queries) + 1, k.Columns / shape.HeadDim);
}
