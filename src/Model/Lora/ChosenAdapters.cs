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
    /// <summary>Room for what an update writes over so many rows; one linear uses it at a time.</summary>
    internal LoraActivations Kept(LoraFactors update, int count) => new(
        First(Scratch.U(update.Rank), count),
        update.KeepsProduct ? First(Scratch.Product(update.StoredB.Rows), count) : null);

    private static Tensor First(Tensor of, int count) => of.Rows == count ? of : of.Slice(0, count);
}
