using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>Room for u, or ∂loss/∂u, of every rank that adapters have; one linear uses it at a time.</summary>
public sealed class LoraScratch
{
    private readonly Dictionary<int, Tensor> _u;

    internal LoraScratch(Arena arena, LoraAdapter? adapter, int rows)
        : this(arena, adapter is null ? [] : [adapter], rows)
    {
    }

    internal LoraScratch(Arena arena, IEnumerable<LoraAdapter> adapters, int rows) => _u = adapters
        .SelectMany(adapter => adapter.Pairs).Select(p => p.Rank).Distinct()
        .ToDictionary(r => r, r => arena.Take(new(rows, r), "u"));

    /// <summary>[N, r].</summary>
    public Tensor U(int rank) => _u[rank];
}
