namespace SafeLlama.Kernels;

/// <summary>Each token's row of the embedding table.</summary>
/// <remarks>
/// <code>
/// forward    y[n]           = weight[token[n]]
/// backward   dweight[t]    += Σ_{n: token[n] = t} dy[n]          where the table learns; n in rising order
/// </code>
/// </remarks>
public abstract class Embedding : Op
{
    /// <param name="tokens">[N] Int32, each in [0, V).</param>
    /// <param name="weight">[V, D].</param>
    /// <param name="y">[N, D].</param>
    public void Forward(Tensor tokens, Tensor weight, Tensor y)
    {
        Check(tokens, weight, y);
        Observer?.Started();
        ForwardCore(tokens, weight, y);
        Observer?.Finished(new("Embedding forward", 0, Bytes(y, y)));
    }

    /// <param name="dy">[N, D].</param>
    /// <param name="tokens">[N] Int32.</param>
    /// <param name="dweight">[V, D], added to.</param>
    public void Backward(Tensor dy, Tensor tokens, Tensor dweight)
    {
        Check(tokens, dweight, dy);
        Observer?.Started();
        BackwardCore(dy, tokens, dweight);
        Observer?.Finished(new("Embedding backward", 0, Bytes(dy, dy)));
    }

    protected abstract void ForwardCore(Tensor tokens, Tensor weight, Tensor y);

    protected abstract void BackwardCore(Tensor dy, Tensor tokens, Tensor dweight);

    private static void Check(Tensor tokens, Tensor weight, Tensor y)
    {
        y.RequireMatrix(y.Rows, weight.Columns, "a row of the table per token");
        tokens.RequireShape(new(y.Rows), "one token per row");
        tokens.RequireType(DType.Int32, "tokens are ids");
    }
}
