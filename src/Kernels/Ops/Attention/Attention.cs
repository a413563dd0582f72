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
public abstract class Attention : Op
{
    /// <param name="input">Queries, keys, values, and what each query may see.</param>
    /// <param name="y">[N, H·d].</param>
    /// <param name="logSum">[N, H], kept for backward.</param>
    public void Forward(in AttentionInput input, Tensor y, Tensor logSum)
    {
        Check(input, y, logSum);
        Observer?.Started();
        ForwardCore(input, y, logSum);
        Observer?.Finished(new("Attention forward", 2 * Flops(input), Bytes(input.Q, input.K, input.V, y)));
    }

    /// <param name="dy">[N, H·d].</param>
    /// <param name="input">As in forward; M = N.</param>
    /// <param name="y">[N, H·d] from forward.</param>
    /// <param name="logSum">[N, H] from forward.</param>
    /// <param name="delta">[N, H] scratch.</param>
    /// <param name="into">Where the gradients go.</param>
    public void Backward(
        Tensor dy, in AttentionInput input, Tensor y, Tensor logSum, Tensor delta, in AttentionGradients into)
    {
        Check(input, y, logSum);
        Check(input, dy, logSum, delta, into);
        Observer?.Started();
        BackwardCore(dy, input, y, logSum, delta, into);
        Observer?.Finished(new(
            "Attention backward", 5 * Flops(input),
            Bytes(dy, input.Q, input.K, input.V, y, into.Q, into.K, into.V)));
    }

    protected abstract void ForwardCore(in AttentionInput input, Tensor y, Tensor logSum);

    protected abstract void BackwardCore(
        Tensor dy, in AttentionInput input, Tensor y, Tensor logSum, Tensor delta, in AttentionGradients into);

    /// <summary>
    /// One product of queries and the keys that each may see: forward has two of them, backward five.
    /// </summary>
    private static double Flops(in AttentionInput input)
    {
        var (first, last) = (input.FirstKey.ReadInts(), input.LastKey.ReadInts());
        return 2.0 * input.Q.Columns * last.Zip(first, (end, start) => (long)end - start + 1).Sum();
    }

    private static void Check(in AttentionInput input, Tensor y, Tensor logSum)
    {
        var (q, k, v, firstKey, lastKey, headDim, _) = input;
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

    private static void Check(
        in AttentionInput input, Tensor dy, Tensor logSum, Tensor delta, in AttentionGradients into)
    {
        var ((q, k, v, _, _, _, _), (dq, dk, dv)) = (input, into);
        dy.RequireMatrix(q.Rows, q.Columns, "one gradient per element of y");
        delta.RequireMatrix(logSum.Rows, logSum.Columns, "one value per row and head");
        dq.RequireMatrix(q.Rows, q.Columns, "one gradient per element of q");
        dk.RequireMatrix(k.Rows, k.Columns, "one gradient per element of k");
        dv.RequireMatrix(v.Rows, v.Columns, "one gradient per element of v");
    }
}
