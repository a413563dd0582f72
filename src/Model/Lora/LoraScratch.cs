using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>Room for what one linear's backward writes on its way; one linear uses it at a time.</summary>
public sealed class LoraScratch
{
    private readonly Dictionary<int, Tensor> _u;
    private readonly Dictionary<int, Tensor> _product;

    internal LoraScratch(Arena arena, LoraAdapter? adapter, int rows)
    {
        var pairs = adapter?.Pairs ?? [];
        _u = pairs.Select(p => p.Rank).Distinct().ToDictionary(r => r, r => arena.Take(new(rows, r), "d_u"));

        // No two are used at once: all widths lie over the same memory.
        var start = arena.Position;
        _product = pairs.Where(p => p.KeepsProduct).Select(p => p.StoredB.Rows).Distinct().ToDictionary(w => w, w =>
        {
            arena.Position = start;
            return arena.Take(new(rows, w), "d_product");
        });
        arena.Position = _product.Count > 0 ? arena.ByteCount : start;
    }

    /// <summary>[N, r] ∂loss/∂u.</summary>
    public Tensor U(int rank) => _u[rank];

    /// <summary>[N, D_out] ∂loss/∂ the product that a variant began with.</summary>
    public Tensor Product(int columns) => _product[columns];
}
