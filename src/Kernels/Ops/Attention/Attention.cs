namespace SafeLlama.Kernels;

/// <summary>Causal, grouped-query attention over packed examples, without a [T, T] matrix.</summary>
/// <remarks>
/// <code>
/// for query row n, head h (key-value head g = h / (H/K)), keys j = firstKey[n] … lastKey[n]:
/// forward    s[j]      = scale · q[n,h] · k[j,g]
///            logSum    = log Σ_j exp(s[j])
///            y[n,h]    = Σ_j p[j] · v[j,g],          p[j] = exp(s[j] − logSum)
/// backward   p is made anew from logSum
///            δ[n,h]    = dy[n,h] · y[n,h]
///            ds[j]     = p[j] · (dy[n,h] · v[j,g] − δ[n,h])
///            dv[j,g]   = Σ_{n,h} p[j] · dy[n,h]
///            dq[n,h]   = scale · Σ_j ds[j] · k[j,g]
///            dk[j,g]   = scale · Σ_{n,h} ds[j] · q[n,h]
/// </code>
/// Two integers a row carry causality, example boundaries and the cache: in training lastKey[n] = n and firstKey[n] is
/// where n's example begins; with a key/value cache both point into it. Dao 2023, arXiv:2307.08691 (online softmax, p
/// recomputed); Ainslie et al. 2023, arXiv:2305.13245 (grouped queries).
/// </remarks>
public abstract class Attention
{
    /// <param name="q">[N, H·d].</param>
    /// <param name="k">[M, K·d]; M = N in training, the cache's rows in generation.</param>
    /// <param name="v">[M, K·d].</param>
    /// <param name="firstKey">[N] Int32.</param>
    /// <param name="lastKey">[N] Int32, not before firstKey.</param>
    /// <param name="headDim">d.</param>
    /// <param name="scale">1 / √d.</param>
    /// <param name="y">[N, H·d].</param>
    /// <param name="logSum">[N, H], kept for backward.</param>
    public void Forward(
        Tensor q, Tensor k, Tensor v, Tensor firstKey, Tensor lastKey, int headDim, double scale, Tensor y,
        Tensor logSum)
    {
        Check(q, k, v, firstKey, lastKey, headDim, y, logSum);
        ForwardCore(q, k, v, firstKey, lastKey, headDim, scale, y, logSum);
    }

    /// <param name="dy">[N, H·d].</param>
    /// <param name="q">[N, H·d].</param>
    /// <param name="k">[N, K·d].</param>
    /// <param name="v">[N, K·d].</param>
    /// <param name="firstKey">[N] Int32.</param>
    /// <param name="lastKey">[N] Int32.</param>
    /// <param name="headDim">d.</param>
    /// <param name="scale">As in forward.</param>
    /// <param name="y">[N, H·d] from forward.</param>
    /// <param name="logSum">[N, H] from forward.</param>
    /// <param name="delta">[N, H] scratch.</param>
    /// <param name="dq">[N, H·d], overwritten.</param>
    /// <param name="dk">[N, K·d], overwritten.</param>
    /// <param name="dv">[N, K·d], overwritten.</param>
    public void Backward(
        Tensor dy, Tensor q, Tensor k, Tensor v, Tensor firstKey, Tensor lastKey, int headDim, double scale,
        Tensor y, Tensor logSum, Tensor delta, Tensor dq, Tensor dk, Tensor dv)
    {
        Check(q, k, v, firstKey, lastKey, headDim, y, logSum);
        dy.RequireMatrix(q.Rows, q.Columns, "one gradient per element of y");
        delta.RequireMatrix(logSum.Rows, logSum.Columns, "one value per row and head");
        dq.RequireMatrix(q.Rows, q.Columns, "one gradient per element of q");
        dk.RequireMatrix(k.Rows, k.Columns, "one gradient per element of k");
        dv.RequireMatrix(v.Rows, v.Columns, "one gradient per element of v");
        BackwardCore(dy, q, k, v, firstKey, lastKey, headDim, scale, y, logSum, delta, dq, dk, dv);
    }

    protected abstract void ForwardCore(
        Tensor q, Tensor k, Tensor v, Tensor firstKey, Tensor lastKey, int headDim, double scale, Tensor y,
        Tensor logSum);

    protected abstract void BackwardCore(
        Tensor dy, Tensor q, Tensor k, Tensor v, Tensor firstKey, Tensor lastKey, int headDim, double scale,
        Tensor y, Tensor logSum, Tensor delta, Tensor dq, Tensor dk, Tensor dv);

    private static void Check(
        Tensor q, Tensor k, Tensor v, Tensor firstKey, Tensor lastKey, int headDim, Tensor y, Tensor logSum)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(headDim);
        var (heads, keyValueHeads) = (q.Columns / headDim, k.Columns / headDim);
        if (heads * headDim != q.Columns || keyValueHeads * headDim != k.Columns || heads % keyValueHeads != 0)
        {
            throw new ArgumentException(
                $"Attention: q has {q.Columns} columns and k {k.Columns}, expected whole heads of {headDim}, "
                + "the query heads a multiple of the key-value heads.");
        }

        v.RequireMatrix(k.Rows, k.Columns, "one value per key");
        y.RequireMatrix(q.Rows, q.Columns, "one row per query");
        logSum.RequireMatrix(q.Rows, heads, "one value per query and head");
        firstKey.RequireShape(new(q.Rows), "one key range per query");
        lastKey.RequireShape(new(q.Rows), "one key range per query");
    }
}
