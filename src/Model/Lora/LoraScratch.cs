using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>Memory for ∂loss/∂u of every rank in an adapter; linears use it in turn.</summary>
public sealed class LoraScratch
{
    private readonly Dictionary<int, Tensor> _u;

    internal LoraScratch(Arena arena, LoraAdapter? adapter, int rows) => _u = adapter is null
        ? []
        : adapter.Pairs.Select(p => p.Rank).Distinct().ToDictionary(r => r, r => arena.Take(new(rows, r), "d_u"));

    /// <summary>[N, r].</summary>
    public Tensor U(int rank) => _u[rank];
}
