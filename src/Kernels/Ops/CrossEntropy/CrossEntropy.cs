namespace SafeLlama.Kernels;

/// <summary>The loss of each row: how surprised the model is by the token that came next.</summary>
/// <remarks>
/// <code>
/// forward    logSum[n]    = log Σ_v exp(logits[n,v])
///            nll[n]       = logSum[n] − logits[n, target[n]]                  0 where target[n] &lt; 0
/// backward   dlogits[n,v] = scale · (exp(logits[n,v] − logSum[n]) − [v = target[n]])     0 where target[n] &lt; 0
/// </code>
/// Rows are given in chunks, so [N, V] logits never exist whole; dlogits may overwrite the logits it is made from.
/// </remarks>
public abstract class CrossEntropy : Op
{
    /// <param name="logits">[C, V] a chunk of rows.</param>
    /// <param name="targets">[C] Int32; below 0 where nothing is learned.</param>
    /// <param name="nll">[C] negative log-likelihood of each target, in nats.</param>
    /// <param name="logSum">[C] kept for backward.</param>
    public void Forward(Tensor logits, Tensor targets, Tensor nll, Tensor logSum)
    {
        Check(logits, targets, logSum);
        nll.RequireShape(targets.Shape, "one loss per row");
        Observer?.Started();
        ForwardCore(logits, targets, nll, logSum);
        Observer?.Finished(new("CrossEntropy forward", 0, Bytes(logits)));
    }

    /// <param name="logits">[C, V].</param>
    /// <param name="targets">[C] Int32.</param>
    /// <param name="logSum">[C] from forward.</param>
    /// <param name="scale">∂loss/∂nll: one over the number of targets that the loss is a mean of.</param>
    /// <param name="dlogits">[C, V], overwritten; may be the logits themselves.</param>
    public void Backward(Tensor logits, Tensor targets, Tensor logSum, double scale, Tensor dlogits)
    {
        Check(logits, targets, logSum);
        dlogits.RequireShape(logits.Shape, "one gradient per logit");
        Observer?.Started();
        BackwardCore(logits, targets, logSum, scale, dlogits);
        Observer?.Finished(new("CrossEntropy backward", 0, Bytes(logits, dlogits)));
    }

    protected abstract void ForwardCore(Tensor logits, Tensor targets, Tensor nll, Tensor logSum);

    protected abstract void BackwardCore(Tensor logits, Tensor targets, Tensor logSum, double scale, Tensor dlogits);

    private static void Check(Tensor logits, Tensor targets, Tensor logSum)
    {
        targets.RequireShape(new(logits.Rows), "one target per row of logits");
        targets.RequireType(DType.Int32, "targets are token ids");
        logSum.RequireShape(new(logits.Rows), "one value per row of logits");
    }
}
