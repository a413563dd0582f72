using ILGPU;
using ILGPU.Algorithms;

namespace SafeLlama.Kernels;

/// <summary>
/// Attention's gradients: one kernel walks along keys for dq, one along queries for dk and dv, so none shares a sum.
/// </summary>
internal static class AttentionGpuBackward
{
    /// <summary>Queries in a tile of dq.</summary>
    public const int QueriesOfDq = 16;

    /// <summary>Queries that a tile of dk and dv takes at a time.</summary>
    private const int QueriesOfDkv = 8;

    private const int Keys = AttentionTile.Keys;
    private const int Pitch = AttentionTile.Pitch;

    /// <summary>δ[n,h] = dy[n,h] · y[n,h]: a row per x, threads stride over its heads.</summary>
    internal static void DeltaKernel<T>(
        GpuMatrix<T> dy, GpuMatrix<T> y, int heads, int headDim, GpuResult<GpuFloat32> delta)
        where T : unmanaged, IGpuActivation<T>
    {
        var row = Grid.IdxX;
        for (var h = (Grid.IdxY * Group.DimX) + Group.IdxX; h < heads; h += Grid.DimY * Group.DimX)
        {
            var sum = 0f;
            for (var i = 0; i < headDim; i++)
            {
                sum += dy[row, (h * headDim) + i] * y[row, (h * headDim) + i];
            }

            delta[row, h] = sum;
        }
    }

    /// <summary>A thread group per tile of queries: dq = scale · Σ_j ds[j] · k[j].</summary>
    internal static void QueryKernel<T>(
        GpuMatrix<T> dy, GpuAttentionInput<T> input, AttentionShape shape, GpuMatrix<GpuFloat32> logSum,
        GpuMatrix<GpuFloat32> delta, GpuResult<T> dq)
        where T : unmanaged, IGpuActivation<T>
    {
        var (q, k, v, firstKey, lastKey) = input;
        var queries = SharedMemory.Allocate<float>(QueriesOfDq * Pitch);
        var doutputs = SharedMemory.Allocate<float>(QueriesOfDq * Pitch);
        var dqueries = SharedMemory.Allocate<float>(QueriesOfDq * Pitch);
        var keys = SharedMemory.Allocate<float>(Keys * Pitch);
        var values = SharedMemory.Allocate<float>(Keys * Pitch);
        var dscores = SharedMemory.Allocate<float>(QueriesOfDq * Keys);
        var firstQuery = Grid.IdxX * QueriesOfDq;
        AttentionTile.LoadQueries(q, queries, firstQuery, QueriesOfDq, shape.Scale, shape);
        AttentionTile.LoadQueries(dy, doutputs, firstQuery, QueriesOfDq, 1f, shape);
        AttentionTile.Clear(dqueries, QueriesOfDq);
        var (first, last) = AttentionTile.KeysOf(firstQuery, QueriesOfDq, firstKey, lastKey, shape);
        for (var key = first; key <= last; key += Keys)
        {
            AttentionTile.LoadKeys(k, keys, key, shape);
            AttentionTile.LoadKeys(v, values, key, shape);
            Group.Barrier();
            for (var e = Group.IdxX; e < QueriesOfDq * Keys; e += Group.DimX)
            {
                var (r, c) = (e / Keys, e % Keys);
                var t = firstQuery + r;
                dscores[e] = 0f;
                if (AttentionTile.Sees(t, key + c, firstKey, lastKey, shape))
                {
                    var (row, head) = (shape.RowOf(t), shape.HeadOf(t));
                    var p = XMath.Exp(AttentionTile.Dot(queries, r, keys, c, shape.HeadDim) - logSum[row, head]);
                    dscores[e] = p * (AttentionTile.Dot(doutputs, r, values, c, shape.HeadDim) - delta[row, head]);
                }
            }

            Group.Barrier();
            for (var e = Group.IdxX; e < QueriesOfDq * shape.HeadDim; e += Group.DimX)
            {
                var (r, i) = (e / shape.HeadDim, e % shape.HeadDim);
                var sum = dqueries[(r * Pitch) + i];
                for (var c = 0; c < Keys; c++)
                {
                    sum += dscores[(r * Keys) + c] * keys[(c * Pitch) + i];
                }

                dqueries[(r * Pitch) + i] = sum;
            }

            Group.Barrier();
        }

        for (var e = Group.IdxX; e < QueriesOfDq * shape.HeadDim; e += Group.DimX)
        {
            var (r, i) = (e / shape.HeadDim, e % shape.HeadDim);
            var t = firstQuery + r;
            if (t < shape.Queries)
            {
                dq[shape.RowOf(t), shape.ColumnOf(t) + i] = shape.Scale * dqueries[(r * Pitch) + i];
            }
        }
    }

    /// <summary>
    /// A thread group per tile of keys: dv = Σ p · dy and dk = scale · Σ ds · q over the queries that see the key.
    /// </summary>
    internal static void KeyValueKernel<T>(
        GpuMatrix<T> dy, GpuAttentionInput<T> input, AttentionShape shape, GpuMatrix<GpuFloat32> logSum,
        GpuMatrix<GpuFloat32> delta, GpuResult<T> dk, GpuResult<T> dv)
        where T : unmanaged, IGpuActivation<T>
    {
        var (q, k, v, firstKey, lastKey) = input;
        var keys = SharedMemory.Allocate<float>(Keys * Pitch);
        var values = SharedMemory.Allocate<float>(Keys * Pitch);
        var dkeys = SharedMemory.Allocate<float>(Keys * Pitch);
        var dvalues = SharedMemory.Allocate<float>(Keys * Pitch);
        var queries = SharedMemory.Allocate<float>(QueriesOfDkv * Pitch);
        var doutputs = SharedMemory.Allocate<float>(QueriesOfDkv * Pitch);
        var shares = SharedMemory.Allocate<float>(QueriesOfDkv * Keys);
        var dscores = SharedMemory.Allocate<float>(QueriesOfDkv * Keys);
        var key = Grid.IdxX * Keys;
        AttentionTile.LoadKeys(k, keys, key, shape);
        AttentionTile.LoadKeys(v, values, key, shape);
        AttentionTile.Clear(dkeys, Keys);
        AttentionTile.Clear(dvalues, Keys);
        for (var query = 0; query < shape.Queries; query += QueriesOfDkv)
        {
            var (first, last) = AttentionTile.KeysOf(query, QueriesOfDkv, firstKey, lastKey, shape);
            if (last < key || first >= key + Keys)
            {
                continue;
            }

            AttentionTile.LoadQueries(q, queries, query, QueriesOfDkv, shape.Scale, shape);
            AttentionTile.LoadQueries(dy, doutputs, query, QueriesOfDkv, 1f, shape);
            Group.Barrier();
            for (var e = Group.IdxX; e < QueriesOfDkv * Keys; e += Group.DimX)
            {
                var (r, c) = (e / Keys, e % Keys);
                var t = query + r;
                (shares[e], dscores[e]) = (0f, 0f);
                if (AttentionTile.Sees(t, key + c, firstKey, lastKey, shape))
                {
                    var (row, head) = (shape.RowOf(t), shape.HeadOf(t));
                    var p = XMath.Exp(AttentionTile.Dot(queries, r, keys, c, shape.HeadDim) - logSum[row, head]);
                    shares[e] = p;
                    dscores[e] = p * (AttentionTile.Dot(doutputs, r, values, c, shape.HeadDim) - delta[row, head]);
                }
            }

            Group.Barrier();
            for (var e = Group.IdxX; e < Keys * shape.HeadDim; e += Group.DimX)
            {
                var (c, i) = (e / shape.HeadDim, e % shape.HeadDim);
                var (dkey, dvalue) = (dkeys[(c * Pitch) + i], dvalues[(c * Pitch) + i]);
                for (var r = 0; r < QueriesOfDkv; r++)
                {
                    dkey += dscores[(r * Keys) + c] * queries[(r * Pitch) + i];
                    dvalue += shares[(r * Keys) + c] * doutputs[(r * Pitch) + i];
                }

                (dkeys[(c * Pitch) + i], dvalues[(c * Pitch) + i]) = (dkey, dvalue);
            }

            Group.Barrier();
        }

        // Where no query sees these keys, nothing yet stands between clearing and reading.
        Group.Barrier();
        for (var e = Group.IdxX; e < Keys * shape.HeadDim; e += Group.DimX)
        {
            var (c, i) = (e / shape.HeadDim, e % shape.HeadDim);
            if (key + c < shape.KeyRows)
            {
                var column = (Grid.IdxY * shape.HeadDim) + i;
                dk[key + c, column] = dkeys[(c * Pitch) + i];
                dv[key + c, column] = dvalues[(c * Pitch) + i];
            }
        }
    }
}

/// <summary>An <see cref="AttentionInput"/> inside kernels.</summary>
internal readonly record struct GpuAttentionInput<T>(
    GpuMatrix<T> Query, GpuMatrix<T> Key, GpuMatrix<T> Value, GpuInts FirstKey, GpuInts LastKey) : IGpuArguments
    where T : unmanaged, IGpuActivation<T>;
