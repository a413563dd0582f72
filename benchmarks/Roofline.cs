using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SafeLlama.Benchmarks;

/// <summary>The limits of one core of this machine: multiply-adds, and reading from each level of memory.</summary>
/// <param name="GigaflopsPerSecond">fp32 fused multiply-adds in registers, two operations each.</param>
/// <param name="Reads">Gigabytes a second by the size of what is read again and again.</param>
internal sealed record Roofline(double GigaflopsPerSecond, IReadOnlyList<(string Level, double GigabytesPerSecond)> Reads)
{
    private static readonly Lazy<Roofline> OfThisMachine = new(MeasureNow);

    /// <summary>Measured once a run, when first asked for; takes about three seconds.</summary>
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

    private static Roofline MeasureNow() => new(
        Best(() => 2.0 * MultiplyAdds(2_000_000)),
        [
            ("16 kB (L1)", Read(16 << 10)),
            ("512 kB (L2)", Read(512 << 10)),
            ("8 MB (L3)", Read(8 << 20)),
            ("512 MB (memory)", Read(512 << 20)),
        ]);

    /// <summary>The best of nine by CPU time: what else the machine does can only slow a run.</summary>
    /// <param name="work">Returns operations or bytes.</param>
    /// <returns>10⁹ a second.</returns>
    private static double Best(Func<double> work)
    {
        work();
        var best = 0.0;
        for (var i = 0; i < 9; i++)
        {
            var start = Environment.CpuUsage.TotalTime;
            var done = work();
            best = Math.Max(best, done / (Environment.CpuUsage.TotalTime - start).TotalSeconds / 1e9);
        }

        return best;
    }

    /// <summary>Twelve independent chains: enough to fill two units of four cycles' latency.</summary>
    /// <returns>How many multiply-adds were done.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double MultiplyAdds(int turns)
    {
        var (x, y) = (Vector512.Create(0.999f), Vector512.Create(0.001f));
        Vector512<float> a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y, i = y, j = y, k = y, l = y;
        for (var turn = 0; turn < turns; turn++)
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
        return 12.0 * Vector512<float>.Count * turns;
    }

    private static double Read(long bytes)
    {
        using var memory = new MemoryRead(bytes);
        return Best(() => memory.Pass(Math.Max(1, (256L << 20) / bytes)));
    }
}
