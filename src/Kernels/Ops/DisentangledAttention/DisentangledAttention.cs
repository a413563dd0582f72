namespace SafeLlama.Kernels;

/// <summary>Attention of an encoder in which content and distance meet: DeBERTa's.</summary>
/// <remarks>
/// <code>
/// forward    s[i,j]  = scale · (q[i] · k[j] + q[i] · kr[δ] + k[j] · qr[δ])             δ = bucket(i − j)
///            p[i,j]  = softmax_j(s[i,j])              y[i] = Σ_j p[i,j] · v[j]          j in i's own sequence
/// backward   dv[j]   = Σ_i p[i,j] · dy[i]             dp[i,j] = dy[i] · v[j]
///            g[i,j]  = scale · p[i,j] · (dp[i,j] − Σ_j' p[i,j'] · dp[i,j'])
///            dq[i]   = Σ_j g[i,j] · (k[j] + kr[δ])    dkr[δ] += Σ_{i,j: bucket(i−j) = δ} g[i,j] · q[i]
///            dk[j]   = Σ_i g[i,j] · (q[i] + qr[δ])    dqr[δ] += Σ_{i,j: bucket(i−j) = δ} g[i,j] · k[j]
/// </code>
/// He et al. 2020, arXiv:2006.03654. The paper prints bucket(j − i) in the last term; the released code and all
/// checkpoints use bucket(i − j) there too. Head h reads the columns h·d … h·d + d − 1. Sequences lie one behind the
/// other and every row sees its whole sequence, so there is no padding and no mask.
/// </remarks>
public abstract class DisentangledAttention : Op
{
    /// <param name="input">Queries, keys, values and distances.</param>
    /// <param name="headDim">d, columns of a head.</param>
    /// <param name="scale">1 / √(3 d) for DeBERTa: three terms are summed.</param>
    /// <param name="y">[N, H·d] result.</param>
    /// <param name="logSum">[N, H] log Σ exp of each row's scores, kept for backward.</param>
    public void Forward(in DisentangledInput input, int headDim, double scale, Tensor y, Tensor logSum)
    {
        Check(input, headDim, logSum);
        y.RequireMatrix(input.Query.Rows, input.Query.Columns, "one result per query");
        Observer?.Started();
        ForwardCore(input, headDim, scale, y, logSum);
        Observer?.Finished(new(
            "DisentangledAttention forward", 4 * Flops(input), Bytes(input.Query, input.Key, input.Value, y)));
    }

    /// <param name="dy">[N, H·d] gradient of the result.</param>
    /// <param name="input">What forward read.</param>
    /// <param name="headDim">d.</param>
    /// <param name="scale">As in forward.</param>
    /// <param name="logSum">[N, H] from forward.</param>
    /// <param name="into">Where the gradients go.</param>
    public void Backward(
        Tensor dy, in DisentangledInput input, int headDim, double scale, Tensor logSum, in DisentangledGradients into)
    {
        Check(input, headDim, logSum);
        var (rows, columns) = (input.Query.Rows, input.Query.Columns);
        dy.RequireMatrix(rows, columns, "one gradient per result");
        into.Query.RequireMatrix(rows, columns, "one gradient per query");
        into.Key.RequireMatrix(rows, columns, "one gradient per key");
        into.Value.RequireMatrix(rows, columns, "one gradient per value");
        into.RelativeKey.RequireShape(input.Relative.Key.Shape, "one gradient per distance");
        into.RelativeQuery.RequireShape(input.Relative.Query.Shape, "one gradient per distance");
        into.Delta.RequireShape(logSum.Shape, "one value per row and head");
        Observer?.Started();
        BackwardCore(dy, input, headDim, scale, logSum, into);
        Observer?.Finished(new(
            "DisentangledAttention backward", 9 * Flops(input),
            Bytes(dy, input.Query, input.Key, input.Value, into.Query, into.Key, into.Value)));
    }

    protected abstract void ForwardCore(
        in DisentangledInput input, int headDim, double scale, Tensor y, Tensor logSum);

    protected abstract void BackwardCore(
        Tensor dy, in DisentangledInput input, int headDim, double scale, Tensor logSum,
        in DisentangledGradients into);

    /// <summary>
    /// One product of rows and the rows that each sees: the equations have four of them forward and nine backward.
    /// </summary>
    private static double Flops(in DisentangledInput input)
    {
        var (first, last) = (input.FirstKey.ReadInts(), input.LastKey.ReadInts());
        return 2.0 * input.Query.Columns * last.Zip(first, (end, start) => (long)end - start + 1).Sum();
    }

    private static void Check(in DisentangledInput input, int headDim, Tensor logSum)
    {
        var (rows, columns) = (input.Query.Rows, input.Query.Columns);
        if (headDim <= 0 || columns % headDim != 0)
        {
            throw new ArgumentException($"DisentangledAttention: {columns} columns are no whole heads of {headDim}.");
        }

        var relative = input.Relative;
        input.Key.RequireMatrix(rows, columns, "one key per query");
        input.Value.RequireMatrix(rows, columns, "one value per query");
        relative.Key.RequireMatrix(relative.Key.Rows, columns, "a key of every head per distance");
        relative.Query.RequireMatrix(relative.Key.Rows, columns, "a query of every head per distance");
        relative.Bucket.RequireShape(new((2 * relative.Reach) - 1), "as many distances forward as back");
        relative.Bucket.RequireType(DType.Int32, "buckets are rows");
        input.FirstKey.RequireShape(new(rows), "one row per row");
        input.LastKey.RequireShape(new(rows), "one row per row");
        logSum.RequireMatrix(rows, columns / headDim, "one value per row and head");
    }
}
