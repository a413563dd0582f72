namespace SafeLlama.Benchmarks;

/// <summary>A step over ranks, worked out: where the tree of sums stops paying.</summary>
/// <remarks>
/// <code>
/// step(N) = ⌈n / N⌉ · c  +  2 ⌈log₂ N⌉ · (l + G / b + G / m)
/// </code>
/// n micro-batches of c seconds; up the tree and down again in ⌈log₂ N⌉ hops each, of latency l, over a link of b bytes
/// a second, with the packing and adding of G bytes at m bytes a second on the host.
/// </remarks>
/// <param name="MicroBatches">n.</param>
/// <param name="MicroBatchSeconds">c.</param>
/// <param name="GradientBytes">G.</param>
/// <param name="Latency">l.</param>
/// <param name="Link">b.</param>
/// <param name="Host">m.</param>
internal sealed record RanksModel(
    int MicroBatches, double MicroBatchSeconds, double GradientBytes, double Latency, double Link, double Host)
{
    /// <summary>r = 8 on q and v of LLaMA 7B: 2 · 32 layers · 8 · (4096 + 4096) floats.</summary>
    public const double Gradient7B = 2 * 32 * 8 * (4096.0 + 4096) * sizeof(float);

    /// <summary>Operations of a micro-batch of 512 tokens of 7B: forward and the input's gradient, 2 each.</summary>
    public const double Flops7B = 4 * 6.6e9 * 512;

    public double SumSeconds(int ranks) => 2 * Math.Ceiling(Math.Log2(ranks))
        * (Latency + (GradientBytes / Link) + (GradientBytes / Host));

    public double StepSeconds(int ranks) =>
        (Math.Ceiling((double)MicroBatches / ranks) * MicroBatchSeconds) + (ranks > 1 ? SumSeconds(ranks) : 0);

    /// <summary>The share of <paramref name="ranks"/> times one rank's speed that remains.</summary>
    public double Efficiency(int ranks) => StepSeconds(1) / (ranks * StepSeconds(ranks));

    /// <summary>The first power of two that is less than a tenth faster than half of it; null where none up to 4,096
    /// is.</summary>
    public int? StopsPayingAt() => Enumerable.Range(1, 12).Select(k => 1 << k)
        .Cast<int?>().FirstOrDefault(n => StepSeconds(n!.Value / 2) < 1.1 * StepSeconds(n.Value));
}
