using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>
/// Rows in tiles; forward takes each in strips: a strip's maximum, then its sum while it is in cache.
/// </summary>
internal sealed unsafe class CrossEntropyCpu<TLanes>(TilePool pool) : CrossEntropy
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>Logits per strip: half of a first-level cache.</summary>
    private const int Strip = 4096;

    protected override void ForwardCore(Tensor logits, Tensor targets, Tensor nll, Tensor logSum)
    {
        targets.RequireIndices(int.MinValue, logits.Columns, "a target is a column of the logits");
        var op = (
            Logits: logits.AsRows<float>(), Targets: targets.AsElements<int>(), Nll: nll.AsElements<float>(),
            LogSum: logSum.AsElements<float>());
        pool.ForRows(logits.Rows, 2L * logits.Columns, op, static (in t, first, end) =>
        {
            for (var n = first; n < end; n++)
            {
                var (sum, target) = (LogSum(t.Logits.At(n), t.Logits.Columns), t.Targets[n]);
                t.LogSum[n] = (float)sum;
                t.Nll[n] = target < 0 ? 0 : (float)(sum - t.Logits[n][target]);
            }
        });
    }

    protected override void BackwardCore(Tensor logits, Tensor targets, Tensor logSum, double scale, Tensor dlogits)
    {
        targets.RequireIndices(int.MinValue, logits.Columns, "a target is a column of the logits");
        var op = (
            Logits: logits.AsRows<float>(), Targets: targets.AsElements<int>(), LogSum: logSum.AsElements<float>(),
            Scale: (float)scale, D: dlogits.AsRows<float>());
        pool.ForRows(logits.Rows, logits.Columns, op, static (in t, first, end) =>
        {
            for (var n = first; n < end; n++)
            {
                var target = t.Targets[n];
                if (target < 0)
                {
                    t.D[n].Clear();
                    continue;
                }

                ScaledSoftmax(t.Logits.At(n), t.LogSum[n], t.Scale, t.D.At(n), t.Logits.Columns);
                t.D[n][target] -= t.Scale;
            }
        });
    }

    /// <summary>log Σ_v exp(logits[v]), against a maximum that grows from strip to strip.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double LogSum(float* logits, int count)
    {
        var (max, sum) = (float.NegativeInfinity, 0.0);
        for (var first = 0; first < count; first += Strip)
        {
            var strip = logits + first;
            var length = Math.Min(Strip, count - first);
            var larger = MathF.Max(max, Largest(strip, length));
            sum = (sum * Math.Exp(max - larger)) + SumOfExp(strip, larger, length);
            max = larger;
        }

        return max + Math.Log(sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Largest(float* x, int count)
    {
        // Four side by side: one would wait for itself.
        var first = TLanes.Broadcast(float.NegativeInfinity);
        var (second, third, fourth) = (first, first, first);
        var i = 0;
        for (; i <= count - (4 * TLanes.Count); i += 4 * TLanes.Count)
        {
            first = TLanes.Max(TLanes.Load(x + i), first);
            second = TLanes.Max(TLanes.Load(x + i + TLanes.Count), second);
            third = TLanes.Max(TLanes.Load(x + i + (2 * TLanes.Count)), third);
            fourth = TLanes.Max(TLanes.Load(x + i + (3 * TLanes.Count)), fourth);
        }

        for (; i < count; i += TLanes.Count)
        {
            first = TLanes.Max(Lanes.Load<TLanes>(x + i, count - i, float.NegativeInfinity), first);
        }

        return TLanes.Largest(TLanes.Max(TLanes.Max(first, second), TLanes.Max(third, fourth)));
    }

    /// <summary>Σ_i exp(x[i] − max).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float SumOfExp(float* x, float max, int count)
    {
        var (shift, sum) = (TLanes.Broadcast(max), default(TLanes));
        var i = 0;
        for (; i <= count - TLanes.Count; i += TLanes.Count)
        {
            sum += LaneMath.Exp(TLanes.Load(x + i) - shift);
        }

        if (i < count)
        {
            sum += LaneMath.Exp(Lanes.Load<TLanes>(x + i, count - i, float.NegativeInfinity) - shift);
        }

        return TLanes.Sum(sum);
    }

    /// <summary>y = scale · exp(x − logSum); y may be x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ScaledSoftmax(float* x, float logSum, float scale, float* y, int count)
    {
        var (shift, factor) = (TLanes.Broadcast(logSum), TLanes.Broadcast(scale));
        var i = 0;
        for (; i <= count - TLanes.Count; i += TLanes.Count)
        {
            TLanes.Store(y + i, factor * LaneMath.Exp(TLanes.Load(x + i) - shift));
        }

        if (i < count)
        {
            Lanes.Store(y + i, count - i, factor * LaneMath.Exp(Lanes.Load<TLanes>(x + i, count - i) - shift));
        }
    }
}
