using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Benchmarks;

/// <summary>How tables show the share of its limit that some work reached.</summary>
internal static class RooflineText
{
    /// <summary>
    /// A share of the multiply-adds; where nothing is multiplied, times the rate of memory: above 1 where a cache holds
    /// the tensors.
    /// </summary>
    public static string Text(this Roofline limit, Work work, double seconds)
    {
        var share = limit.Share(work.Flops, work.Bytes, seconds);
        return work.Flops > 0 ? Percent.Of(share, "0") : $"{share:F2} × memory";
    }
}
