using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>Attention one query at a time: for decoding, and for head sizes that fill no vectors.</summary>
internal static unsafe class AttentionRows<TLanes>
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>Rows whose values, or next keys, are asked for ahead: what a second-level cache holds with
    /// ease.</summary>
    private const int RowsAhead = 512;

    /// <summary>One query row and head against its keys.</summary>
    /// <remarks>
    /// A head is a short piece of every row of the cache, which the machine does not foresee: values are asked for
    /// while scores are computed, and the next head's keys while values are added.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(in AttentionOperands t, int n, int head)
    {
        var (d, keyHead) = (t.HeadDim, head / t.Group * t.HeadDim);
        var (first, last) = (t.FirstKey.Pointer[n], t.LastKey.Pointer[n]);
        float* query = t.Q.At(n) + (head * d), output = t.Y.At(n) + (head * d);
        var count = last - first + 1;
        var scores = ThreadScratch.Floats(count + (4 * TLanes.Count));
        PrefetchPart(t.V.At(first) + keyHead, t.V.Stride, count, d);
        Scores(query, t.K.At(first) + keyHead, t.K.Stride, count, d, t.Scale, scores, scores + count);
        if ((head + 1) % t.Group == 0 && head + 1 < t.Heads)
        {
            PrefetchPart(t.K.At(first) + keyHead + d, t.K.Stride, count, d);
        }

        var max = Largest(scores, count);
        var sum = ExpMinus(scores, max, count);
        WeightedSum(scores, 1 / sum, t.V.At(first) + keyHead, t.V.Stride, count, output, d);
        t.LogSum.At(n)[head] = max + MathF.Log(sum);
    }

    /// <summary>Asks for one head's part of some rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PrefetchPart(float* part, nint stride, int count, int d)
    {
        for (var row = 0; row < Math.Min(count, RowsAhead); row++, part += stride)
        {
            for (var e = 0; e < d; e += Prefetch.Line / sizeof(float))
            {
                Prefetch.ToL2(part + e);
            }
        }
    }

    /// <summary>One group of rows and one key-value head, in rising order.</summary>
    public static void Backward(in AttentionOperands t, KeyGroup group, int keyHead)
    {
        var d = t.HeadDim;
        for (var key = group.FirstKey; key < group.EndKey; key++)
        {
            new Span<float>(t.Dk.At(key) + (keyHead * d), d).Clear();
            new Span<float>(t.Dv.At(key) + (keyHead * d), d).Clear();
        }

        for (var head = keyHead * t.Group; head < (keyHead + 1) * t.Group; head++)
        {
            for (var n = group.First; n < group.End; n++)
            {
                BackwardRow(t, n, head, keyHead * d);
            }
        }
    }

    private static void BackwardRow(in AttentionOperands t, int n, int head, int keyHead)
    {
        var (d, logSum) = (t.HeadDim, t.LogSum.At(n)[head]);
        float* query = t.Q.At(n) + (head * d), doutput = t.Dy.At(n) + (head * d), dquery = t.Dq.At(n) + (head * d);
        var delta = LaneMath.Dot<TLanes>(doutput, t.Y.At(n) + (head * d), d);
        t.Delta.At(n)[head] = delta;
        new Span<float>(dquery, d).Clear();
        for (var j = t.FirstKey.Pointer[n]; j <= t.LastKey.Pointer[n]; j++)
        {
            float* key = t.K.At(j) + keyHead, value = t.V.At(j) + keyHead;
            var p = MathF.Exp((t.Scale * LaneMath.Dot<TLanes>(query, key, d)) - logSum);
            var ds = t.Scale * p * (LaneMath.Dot<TLanes>(doutput, value, d) - delta);
            LaneMath.AddScaled<TLanes>(p, doutput, t.Dv.At(j) + keyHead, d);
            LaneMath.AddScaled<TLanes>(ds, key, dquery, d);
            LaneMath.AddScaled<TLanes>(ds, query, t.Dk.At(j) + keyHead, d);
        }
    }

    /// <summary>scores[j] = scale · query · keys[j], as many keys at a time as a vector has lanes.</summary>
    /// <param name="query">[d].</param>
    /// <param name="keys">[count, d].</param>
    /// <param name="stride">Floats from key to key.</param>
    /// <param name="count">How many keys.</param>
    /// <param name="d">The head size.</param>
    /// <param name="scale">Multiplies every score.</param>
    /// <param name="scores">[count].</param>
    /// <param name="transposed">Room for four vectors.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scores(
        float* query, float* keys, nint stride, int count, int d, float scale, float* scores, float* transposed)
    {
        var j = 0;
        for (; j <= count - TLanes.Count && d % 4 == 0; j += TLanes.Count)
        {
            TLanes even = default, odd = default;
            for (var e = 0; e < d; e += 4)
            {
                TLanes.Transpose(keys + (j * stride) + e, stride, transposed, TLanes.Count);
                even = TLanes.MultiplyAdd(TLanes.Broadcast(query[e]), TLanes.Load(transposed), even);
                odd = TLanes.MultiplyAdd(TLanes.Broadcast(query[e + 1]), TLanes.Load(transposed + TLanes.Count), odd);
                even = TLanes.MultiplyAdd(
                    TLanes.Broadcast(query[e + 2]), TLanes.Load(transposed + (2 * TLanes.Count)), even);
                odd = TLanes.MultiplyAdd(
                    TLanes.Broadcast(query[e + 3]), TLanes.Load(transposed + (3 * TLanes.Count)), odd);
            }

            TLanes.Store(scores + j, (even + odd) * TLanes.Broadcast(scale));
        }

        for (; j < count; j++)
        {
            scores[j] = scale * LaneMath.Dot<TLanes>(query, keys + (j * stride), d);
        }
    }

    /// <summary>y = factor · Σ_j weights[j] · values[j], a vector of columns at a time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WeightedSum(
        float* weights, float factor, float* values, nint stride, int count, float* y, int d)
    {
        for (var e = 0; e < d; e += TLanes.Count)
        {
            var left = d - e;
            TLanes even = default, odd = default;
            var j = 0;
            for (; j < count - 1; j += 2)
            {
                var value = values + (j * stride) + e;
                even = TLanes.MultiplyAdd(TLanes.Broadcast(weights[j]), Lanes.Load<TLanes>(value, left), even);
                odd = TLanes.MultiplyAdd(
                    TLanes.Broadcast(weights[j + 1]), Lanes.Load<TLanes>(value + stride, left), odd);
            }

            if (j < count)
            {
                var value = Lanes.Load<TLanes>(values + (j * stride) + e, left);
                even = TLanes.MultiplyAdd(TLanes.Broadcast(weights[j]), value, even);
            }

            Lanes.Store(y + e, left, (even + odd) * TLanes.Broadcast(factor));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Largest(float* x, int count)
    {
        var largest = TLanes.Broadcast(float.NegativeInfinity);
        for (var i = 0; i < count; i += TLanes.Count)
        {
            largest = TLanes.Max(Lanes.Load<TLanes>(x + i, count - i, float.NegativeInfinity), largest);
        }

        return TLanes.Largest(largest);
    }

    /// <summary>x = exp(x − max); returns the sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float ExpMinus(float* x, float max, int count)
    {
        var (shift, sum) = (TLanes.Broadcast(max), default(TLanes));
        for (var i = 0; i < count; i += TLanes.Count)
        {
            var p = LaneMath.Exp(Lanes.Load<TLanes>(x + i, count - i, float.NegativeInfinity) - shift);
            Lanes.Store(x + i, count - i, p);
            sum += p;
        }

        return TLanes.Sum(sum);
    }
}
