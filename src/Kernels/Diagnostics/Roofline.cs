using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SafeLlama.Kernels;

/// <summary>The limits of one core of this machine: multiply-adds, and reading from each level of memory.</summary>
/// <remarks>
/// After Williams, Waterman and Patterson 2009, "Roofline": an op is bounded by its arithmetic at the first rate and by
/// its bytes at the second.
/// </remarks>
/// <param name="GigaflopsPerSecond">fp32 fused multiply-adds in registers, two operations each.</param>
/// <param name="Reads">Gigabytes a second by the size of what is read again and again.</param>
public sealed record Roofline(
    double GigaflopsPerSecond, IReadOnlyList<(string Level, double GigabytesPerSecond)> Reads)
{
    private const int Rounds = 9;

    private const int Turns = 2_000_000;

    private static readonly Lazy<Roofline> OfThisMachine = new(MeasureNow);

    /// <summary>Measured once per process at the first use; takes about three seconds.</summary>
    public static Roofline Measured => OfThisMachine.Value;

    /// <summary>From main memory.</summary>
    public double MemoryGigabytesPerSecond => Reads[^1].GigabytesPerSecond;

    public void Print(TextWriter writer)
    {
        writer.WriteLine("| limit of one core | measured |\n|---|---:|");
        writer.WriteLine($"| fp32 multiply-adds | {GigaflopsPerSecond:F1} GFLOP/s |");
        foreach (var (level, rate) in Reads)
        {
            writer.WriteLine($"| reading {level} | {rate:F1} GB/s |");
        }
    }

    /// <summary>Only multiply-adds and main memory, measured in a quarter of a second with 128 MB.</summary>
    public static Roofline Glance() => new(
        Best(Rounds / 3, () => 2.0 * MultiplyAdds()), [("128 MB (memory)", Read(Rounds / 3, 128 << 20))]);

    /// <summary>The share of its limit that some work reached in so many seconds of one core.</summary>
    /// <param name="flops">Its products' operations; 0 where memory is the limit.</param>
    public double Share(double flops, double bytes, double seconds) => flops > 0
        ? flops / seconds / 1e9 / GigaflopsPerSecond
        : bytes / seconds / 1e9 / MemoryGigabytesPerSecond;

    private static Roofline MeasureNow() => new(
        Best(Rounds, () => 2.0 * MultiplyAdds()),
        [
            ("16 kB (L1)", Read(Rounds, 16 << 10)),
            ("512 kB (L2)", Read(Rounds, 512 << 10)),
            ("8 MB (L3)", Read(Rounds, 8 << 20)),
            ("512 MB (memory)", Read(Rounds, 512 << 20)),
        ]);

    /// <summary>The best of several rounds by CPU time, since other load can only slow a round.</summary>
    /// <param name="work">Returns operations or bytes.</param>
    /// <returns>10⁹ a second.</returns>
    private static double Best(int rounds, Func<double> work)
    {
        work();
        var best = 0.0;
        for (var i = 0; i < rounds; i++)
        {
            var start = Environment.CpuUsage.TotalTime;
            var done = work();
            best = Math.Max(best, done / (Environment.CpuUsage.TotalTime - start).TotalSeconds / 1e9);
        }

        return best;
    }

    private static double MultiplyAdds() => Vector512.IsHardwareAccelerated
        ? MultiplyAdds(Vector512.Create(0.999f), Vector512.Create(0.001f))
        : MultiplyAdds(Vector256.Create(0.999f), Vector256.Create(0.001f));

    /// <summary>Twelve independent chains, enough to fill two units with a latency of four cycles.</summary>
    /// <returns>How many multiply-adds were done.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double MultiplyAdds(Vector512<float> x, Vector512<float> y)
    {
        Vector512<float> a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y, i = y, j = y, k = y, l = y;
        for (var turn = 0; turn < Turns; turn++)
        {
            a = Vector512.MultiplyAddEstimate(a, x, y);
            b = Vector512.MultiplyAddEstimate(b, x, y);
            c = Vector512.MultiplyAddEstimate(c, x, y);
            d = Vector512.MultiplyAddEstimate(d, x, y);
            e = Vector512.MultiplyAddEstimate(e, x, y);
            f = Vector512.MultiplyAddEstimate(f, x, y);
            g = Vector512.MultiplyAddEstimate(g, x, y);
            h = Vector512.MultiplyAddEstimate(h, x, y);
            i = Vector512.MultiplyAddEstimate(i, x, y);
            j = Vector512.MultiplyAddEstimate(j, x, y);
            k = Vector512.MultiplyAddEstimate(k, x, y);
            l = Vector512.MultiplyAddEstimate(l, x, y);
        }

        GC.KeepAlive(Vector512.Sum(a + b + c + d + e + f + g + h + i + j + k + l));
        return 12.0 * Vector512<float>.Count * Turns;
    }

    /// <summary>The same where 512 bits would be two registers, and not all chains would fit into them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double MultiplyAdds(Vector256<float> x, Vector256<float> y)
    {
        Vector256<float> a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y, i = y, j = y, k = y, l = y;
        for (var turn = 0; turn < Turns; turn++)
        {
            a = Vector256.MultiplyAddEstimate(a, x, y);
            b = Vector256.MultiplyAddEstimate(b, x, y);
            c = Vector256.MultiplyAddEstimate(c, x, y);
            d = Vector256.MultiplyAddEstimate(d, x, y);
            e = Vector256.MultiplyAddEstimate(e, x, y);
            f = Vector256.MultiplyAddEstimate(f, x, y);
            g = Vector256.MultiplyAddEstimate(g, x, y);
            h = Vector256.MultiplyAddEstimate(h, x, y);
            i = Vector256.MultiplyAddEstimate(i, x, y);
            j = Vector256.MultiplyAddEstimate(j, x, y);
            k = Vector256.MultiplyAddEstimate(k, x, y);
            l = Vector256.MultiplyAddEstimate(l, x, y);
        }

        GC.KeepAlive(Vector256.Sum(a + b + c + d + e + f + g + h + i + j + k + l));
        return 12.0 * Vector256<float>.Count * Turns;
    }

    private static double Read(int rounds, long bytes)
    {
        using var memory = new MemoryRead(bytes);
        return Best(rounds, () => memory.Pass(Math.Max(1, (256L << 20) / bytes)));
    }
}
