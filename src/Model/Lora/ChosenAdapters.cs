using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>Rows of a pass that one adapter stands beside.</summary>
/// <param name="Adapter">Its place among <see cref="Llama.Choices"/>; −1 for none.</param>
/// <param name="First">The first row.</param>
/// <param name="Count">How many rows.</param>
public readonly record struct AdapterRange(int Adapter, int First, int Count);

/// <summary>The adapter of every row of a pass: rows of one adapter stand together.</summary>
/// <param name="Ranges">They cover all rows, in order.</param>
public sealed record ChosenAdapters(IReadOnlyList<AdapterRange> Ranges, LoraScratch Scratch)
{
    /// <summary>[count, r] room for u = x Aᵀ; one linear uses it at a time.</summary>
    public Tensor U(int rank, int count)
    {
        var u = Scratch.U(rank);
        return u.Rows == count ? u : u.Slice(0, count);
    }
}
