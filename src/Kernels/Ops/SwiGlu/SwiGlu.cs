namespace SafeLlama.Kernels;

/// <summary>The gated activation of the feed-forward layer.</summary>
/// <remarks>
/// <code>
/// forward    product = silu(gate) · up,     silu(x) = x · σ(x),  σ(x) = 1 / (1 + exp(−x))
/// backward   dup     = dproduct · silu(gate)
///            dgate   = dproduct · up · σ(gate) · (1 + gate · (1 − σ(gate)))
/// </code>
/// Shazeer 2020, arXiv:2002.05202. Element by element; gate and up have no other consumer, so their gradients are
/// overwritten.
/// </remarks>
public abstract class SwiGlu : Op
{
    /// <param name="gate">[N, F].</param>
    /// <param name="up">[N, F].</param>
    /// <param name="product">[N, F].</param>
    public void Forward(Tensor gate, Tensor up, Tensor product)
    {
        up.RequireShape(gate.Shape, "one value per gate");
        product.RequireShape(gate.Shape, "one product per gate");
        Observer?.Started();
        ForwardCore(gate, up, product);
        Observer?.Finished(new("SwiGlu forward", 0, Bytes(gate, up, product)));
    }

    /// <param name="dproduct">[N, F].</param>
    /// <param name="gate">[N, F].</param>
    /// <param name="up">[N, F].</param>
    /// <param name="dgate">[N, F], overwritten.</param>
    /// <param name="dup">
    /// [N, F], overwritten; may be dproduct itself. In a type of half its size both gradients may share its rows.
    /// </param>
    public void Backward(Tensor dproduct, Tensor gate, Tensor up, Tensor dgate, Tensor dup)
    {
        dproduct.RequireShape(gate.Shape, "one gradient per product");
        up.RequireShape(gate.Shape, "one value per gate");
        dgate.RequireShape(gate.Shape, "one gradient per gate");
        dup.RequireShape(gate.Shape, "one gradient per up");
        Observer?.Started();
        BackwardCore(dproduct, gate, up, dgate, dup);
        Observer?.Finished(new("SwiGlu backward", 0, Bytes(dproduct, gate, up, dgate, dup)));
    }

    protected abstract void ForwardCore(Tensor gate, Tensor up, Tensor product);

    protected abstract void BackwardCore(Tensor dproduct, Tensor gate, Tensor up, Tensor dgate, Tensor dup);
}
