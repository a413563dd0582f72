using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>One block's worth of gradients, reused by every block of a backward pass.</summary>
public sealed class Scratch
{
    /// <param name="stream">[N, D] ∂loss/∂ the residual stream, which the loss head writes.</param>
    /// <param name="over">Where the head's chunk lies, which is not needed any more: the rest begins there.</param>
    internal Scratch(Arena arena, Llama model, Tensor stream, long over)
    {
        var (c, n) = (model.Config, stream.Rows);
        Stream = stream;
        arena.Position = over;
        Normed = arena.Take(new(n, c.HiddenSize), "d_normed");

        // A block runs one half backward, then the other: their gradients lie over the same memory.
        var half = arena.Position;
        Query = arena.Take(new(n, c.Heads * c.HeadDim), "d_query");
        Key = arena.Take(new(n, c.KeyValueHeads * c.HeadDim), "d_key");
        Value = arena.Take(new(n, c.KeyValueHeads * c.HeadDim), "d_value");
        AttentionOutput = arena.Take(new(n, c.Heads * c.HeadDim), "d_mixed");
        Delta = arena.Take(new(n, c.Heads), arena.Backend.Accumulation, "delta");
        var end = arena.Position;
        arena.Position = half;
        Product = arena.Take(new(n, c.IntermediateSize), "d_product");
        var kept = arena.Backend.Kept;
        (Gate, Up) = kept == Product.Type
            ? (arena.Take(new(n, c.IntermediateSize), "d_gate"), Product)
            : (Product.Overlay(kept), Product.Overlay(kept, part: 1));
        arena.Position = Math.Max(arena.Position, end);
        Lora = new LoraScratch(arena, model.Adapter, n);
        arena.Position = arena.ByteCount;
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
