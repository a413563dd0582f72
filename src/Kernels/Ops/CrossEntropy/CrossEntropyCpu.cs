using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>Rows in tiles; each is read once, a few vectors at a time.</summary>
internal sealed unsafe class CrossEntropyCpu<TLanes>(TilePool pool) : CrossEntropy
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>Gradients that are rounded at once: half of a first-level cache.</summary>
    private const int Strip = 4096;

    /// <summary>Vectors that share a maximum.</summary>
    private const int Together = 16;

    /// <summary>Far below any logit, and finite.</summary>
    private const float Lowest = -1e30f;

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
        if (dlogits.Type == DType.BFloat16)
        {
            BackwardRounded(logits, targets, logSum, (float)scale, dlogits);
            return;
        }

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

    /// <summary>
    /// Strip by strip, so that a gradient in bf16 may begin where its row of logits does: it never overtakes them.
    /// </summary>
    private void BackwardRounded(Tensor logits, Tensor targets, Tensor logSum, float scale, Tensor dlogits)
    {
        var op = (
            Logits: logits.AsRows<float>(), Targets: targets.AsElements<int>(), LogSum: logSum.AsElements<float>(),
            Scale: scale, D: dlogits.AsRows<ushort>());
        pool.ForRows(logits.Rows, logits.Columns, op, static (in t, first, end) =>
        {
            var strip = ThreadScratch.Floats(Strip);
            for (var n = first; n < end; n++)
            {
                var target = t.Targets[n];
                if (target < 0)
                {
                    t.D[n].Clear();
                    continue;
                }

                for (var from = 0; from < t.Logits.Columns; from += Strip)
                {
                    var count = Math.Min(Strip, t.Logits.Columns - from);
                    ScaledSoftmax(t.Logits.At(n) + from, t.LogSum[n], t.Scale, strip, count);
                    if (target >= from && target < from + count)
                    {
                        strip[target - from] -= t.Scale;
                    }

                    Bf16Rows.Narrow(strip, count, t.D.At(n) + from);
                }
            }
        });
    }

    /// <summary>log Σ_v exp(logits[v]): every lane has a maximum of its own, which grows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double LogSum(float* logits, int count)
    {
        var (max, sum) = (TLanes.Broadcast(Lowest), default(TLanes));
        var i = 0;
        for (; i <= count - (Together * TLanes.Count); i += Together * TLanes.Count)
        {
            var (larger, other) = (max, TLanes.Load(logits + i));
            for (var j = 0; j < Together; j += 2)
            {
                larger = TLanes.Max(TLanes.Load(logits + i + (j * TLanes.Count)), larger);
                other = TLanes.Max(TLanes.Load(logits + i + ((j + 1) * TLanes.Count)), other);
            }

            larger = TLanes.Max(larger, other);
            sum *= LaneMath.Exp(max - larger);
            max = larger;
            // First among themselves: a long sum of small terms would lose their last bits.
            var (some, others) = (default(TLanes), default(TLanes));
            for (var j = 0; j < Together; j += 2)
            {
                some += LaneMath.Exp(TLanes.Load(logits + i + (j * TLanes.Count)) - max);
                others += LaneMath.Exp(TLanes.Load(logits + i + ((j + 1) * TLanes.Count)) - max);
            }

            sum += some + others;
        }

        for (; i < count; i += TLanes.Count)
        {
            var x = Lanes.Load<TLanes>(logits + i, count - i, float.NegativeInfinity);
            var larger = TLanes.Max(max, x);
            sum = (sum * LaneMath.Exp(max - larger)) + LaneMath.Exp(x - larger);
            max = larger;
        }

        var largest = TLanes.Largest(max);
        return largest + Math.Log(TLanes.Sum(sum * LaneMath.Exp(max - TLanes.Broadcast(largest))));
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
