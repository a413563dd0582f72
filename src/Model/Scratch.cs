using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>One block's worth of gradients, reused by every block of a backward pass.</summary>
public sealed class Scratch
{
    internal Scratch(Arena arena, Llama model, int n)
    {
        var c = model.Config;
        Stream = arena.Take(new(n, c.HiddenSize), "d_stream");
        Normed = arena.Take(new(n, c.HiddenSize), "d_normed");
        Query = arena.Take(new(n, c.Heads * c.HeadDim), "d_query");
        Key = arena.Take(new(n, c.KeyValueHeads * c.HeadDim), "d_key");
        Value = arena.Take(new(n, c.KeyValueHeads * c.HeadDim), "d_value");
        AttentionOutput = arena.Take(new(n, c.Heads * c.HeadDim), "d_mixed");
        Delta = arena.Take(new(n, c.Heads), arena.Backend.Accumulation, "delta");
        Product = arena.Take(new(n, c.IntermediateSize), "d_product");
        var kept = arena.Backend.Kept;
        (Gate, Up) = kept == Product.Type
            ? (arena.Take(new(n, c.IntermediateSize), "d_gate"), Product)
            : (Product.Overlay(kept), Product.Overlay(kept, part: 1));
        Lora = new LoraScratch(arena, model.Adapter, n);
    }

    /// <summary>[N, D] ∂loss/∂ the residual stream.</summary>
    public Tensor Stream { get; }

    /// <summary>[N, D] ∂loss/∂ a half's normalized input.</summary>
    public Tensor Normed { get; }

    /// <summary>[N, H·d].</summary>
    public Tensor Query { get; }

    /// <summary>[N, K·d].</summary>
    public Tensor Key { get; }

    /// <summary>[N, K·d].</summary>
    public Tensor Value { get; }

    /// <summary>[N, H·d].</summary>
    public Tensor AttentionOutput { get; }

    /// <summary>[N, H] attention's dy · y.</summary>
    public Tensor Delta { get; }

    /// <summary>[N, F] ∂loss/∂ the gated product.</summary>
    public Tensor Product { get; }

    /// <summary>[N, F], in the type that products read; where that is half as long, over
    /// <see cref="Product"/>.</summary>
    public Tensor Gate { get; }

    /// <summary>[N, F], over <see cref="Product"/>.</summary>
    public Tensor Up { get; }

    public LoraScratch Lora { get; }
}
