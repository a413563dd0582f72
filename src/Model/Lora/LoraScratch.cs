using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>Memory for the intermediate results of adapters, of every rank and width; linears use it in turn.</summary>
public sealed class LoraScratch
{
    private readonly Dictionary<int, Tensor> _u;
    private readonly Dictionary<int, Tensor> _product;

    internal LoraScratch(Arena arena, LoraAdapter? adapter, int rows)
        : this(arena, adapter is null ? [] : [adapter], rows)
    {
    }

    internal LoraScratch(Arena arena, IEnumerable<LoraAdapter> adapters, int rows)
    {
        var pairs = adapters.SelectMany(adapter => adapter.Pairs).ToList();
        _u = pairs.Select(p => p.Rank).Distinct().ToDictionary(r => r, r => arena.Take(new(rows, r), "u"));

        // No two are used at once: all widths lie over the same memory.
        var start = arena.Position;
        _product = pairs.Where(p => p.KeepsProduct).Select(p => p.StoredB.Rows).Distinct().ToDictionary(w => w, w =>
        {
            arena.Position = start;
            return arena.Take(new(rows, w), "product");
        });
        arena.Position = _product.Count > 0 ? arena.ByteCount : start;
    }

    /// <summary>[N, r] u, or ∂loss/∂u.</summary>
    public Tensor U(int rank) => _u[rank];

    /// <summary>[N, D_out] the product that a variant begins with, or ∂loss/∂ it.</summary>
    public Tensor Product(int columns) => _product[columns];
}
