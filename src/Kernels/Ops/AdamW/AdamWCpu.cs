using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>Rows in tiles, element by element.</summary>
internal sealed unsafe class AdamWCpu<TLanes>(TilePool pool) : AdamW
    where TLanes : struct, ILanes<TLanes>
{
    protected override void UpdateCore(
        Tensor value, Tensor gradient, Tensor m, Tensor v, in AdamWStep step, Tensor normSquared)
    {
        var clip = (float)ClipFactor(normSquared.AsElements<double>()[0], step.MaxNorm);
        if (!float.IsFinite(clip))
        {
            return;
        }

        var op = (
            Value: value.AsRows<float>(), Gradient: gradient.AsRows<float>(), M: m.AsRows<float>(),
            V: v.AsRows<float>(), Factors: new Factors(step, clip));
        pool.ForRows(value.Rows, 4L * value.Columns, op, static (in t, first, end) =>
        {
            for (var n = first; n < end; n++)
            {
                UpdateRow(t.Value.At(n), t.Gradient.At(n), t.M.At(n), t.V.At(n), t.Factors, t.Value.Columns);
            }
        });
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void UpdateRow(float* value, float* gradient, float* m, float* v, Factors f, int count)
    {
        var (beta1, rest1, beta2, rest2) = (
            TLanes.Broadcast(f.Beta1), TLanes.Broadcast(f.Rest1), TLanes.Broadcast(f.Beta2), TLanes.Broadcast(f.Rest2));
        var (clip, kept, rate, unbias, epsilon) = (
            TLanes.Broadcast(f.Clip), TLanes.Broadcast(f.Kept), TLanes.Broadcast(f.Rate), TLanes.Broadcast(f.Unbias2),
            TLanes.Broadcast(f.Epsilon));
        var i = 0;
        for (; i <= count - TLanes.Count; i += TLanes.Count)
        {
            var g = clip * TLanes.Load(gradient + i);
            var first = TLanes.MultiplyAdd(beta1, TLanes.Load(m + i), rest1 * g);
            var second = TLanes.MultiplyAdd(beta2, TLanes.Load(v + i), rest2 * g * g);
            var move = rate * first / (TLanes.SquareRoot(second * unbias) + epsilon);
            TLanes.Store(m + i, first);
            TLanes.Store(v + i, second);
            TLanes.Store(value + i, (kept * TLanes.Load(value + i)) - move);
        }

        if (i < count)
        {
            UpdateEnd(value + i, gradient + i, m + i, v + i, f, count - i);
        }
    }

    /// <summary>
    /// A row's last elements, where they fill no vector: as a vector of their own, filled up with zeros.
    /// </summary>
    private static void UpdateEnd(float* value, float* gradient, float* m, float* v, Factors f, int count)
    {
        var ends = stackalloc float[4 * TLanes.Count];
        float* g = ends + TLanes.Count, first = g + TLanes.Count, second = first + TLanes.Count;
        new Span<float>(ends, 4 * TLanes.Count).Clear();
        for (var i = 0; i < count; i++)
        {
            (ends[i], g[i], first[i], second[i]) = (value[i], gradient[i], m[i], v[i]);
        }

        UpdateRow(ends, g, first, second, f, TLanes.Count);
        for (var i = 0; i < count; i++)
        {
            (value[i], m[i], v[i]) = (ends[i], first[i], second[i]);
        }
    }

    /// <summary>What a step multiplies by, worked out once in fp64.</summary>
    private readonly struct Factors(in AdamWStep step, float clip)
    {
        public readonly float Beta1 = (float)step.Beta1;
        public readonly float Rest1 = (float)(1 - step.Beta1);
        public readonly float Beta2 = (float)step.Beta2;
        public readonly float Rest2 = (float)(1 - step.Beta2);
        public readonly float Clip = clip;
        public readonly float Kept = (float)(1 - (step.LearningRate * step.WeightDecay));
        public readonly float Rate = (float)(step.LearningRate / (1 - Math.Pow(step.Beta1, step.Step)));
        public readonly float Unbias2 = (float)(1 / (1 - Math.Pow(step.Beta2, step.Step)));
        public readonly float Epsilon = (float)step.Epsilon;
    }
}
