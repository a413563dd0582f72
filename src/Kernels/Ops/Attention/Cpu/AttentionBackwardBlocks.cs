using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SafeLlama.Kernels;

/// <summary>Backward for one group of rows and one key-value head: p is made anew, block by block.</summary>
/// <remarks>
/// Query heads, blocks of queries and blocks of keys are taken in rising order, so each sum of dk and dv has one order
/// whatever the number of threads. dk and dv gather in scratch and are written once.
/// </remarks>
internal static unsafe class AttentionBackwardBlocks<TLanes>
    where TLanes : struct, ILanes<TLanes>
{
    private const int Queries = QueryBlock<TLanes>.Queries;
    private const int Keys = QueryBlock<TLanes>.Keys;

    /// <summary>Floats of scratch for a group with so many keys.</summary>
    public static long ScratchCount(int keys, int headDim) => (2 * Size(keys, headDim)) + Scratch.Count(headDim);

    /// <param name="t">The tensors.</param>
    /// <param name="part">A group, or a part of one.</param>
    /// <param name="keyHead">Which key-value head.</param>
    /// <param name="sums">Where the dk and dv of parts go; those of a whole group are final.</param>
    public static void Run(in AttentionOperands t, AttentionPart part, int keyHead, float* sums)
    {
        var (d, group) = (t.HeadDim, part.Rows);
        var size = Size(group.EndKey - group.FirstKey, d);
        float* dk = ThreadScratch.Floats(ScratchCount(group.EndKey - group.FirstKey, d));
        var scratch = new Scratch(dk + (2 * size), d);
        float* dv = dk + size;
        NativeMemory.Clear(dk, (nuint)(2 * size * sizeof(float)));
        for (var head = keyHead * t.Group; head < (keyHead + 1) * t.Group; head++)
        {
            for (var n = group.First; n < group.End; n += Queries)
            {
                var end = Math.Min(group.End, n + Queries);
                var block = KeyGroups.Tight(t.FirstKey.AsSpan(), t.LastKey.AsSpan(), n, end);
                RunBlock(t, block, head, scratch, group.FirstKey, dk, dv);
            }
        }

        Keep(t, part, keyHead, dk, dv, sums);
    }

    /// <summary>Writes the dk and dv of scratch: the sums of a part, or the gradients of a whole group.</summary>
    /// <param name="t">The tensors.</param>
    /// <param name="part">What they were gathered over.</param>
    /// <param name="keyHead">Which key-value head.</param>
    /// <param name="dk">[keys, d], without gaps.</param>
    /// <param name="dv">[keys, d], without gaps.</param>
    /// <param name="sums">Where those of parts go.</param>
    public static void Keep(
        in AttentionOperands t, AttentionPart part, int keyHead, float* dk, float* dv, float* sums)
    {
        var (d, group) = (t.HeadDim, part.Rows);
        if (part.IsCut)
        {
            var (to, count) = (part.SumsAt(keyHead, d), (group.EndKey - group.FirstKey) * d);
            QueryBlock<TLanes>.Copy(dk, count, sums + to);
            QueryBlock<TLanes>.Copy(dv, count, sums + to + count);
            return;
        }

        for (var key = group.FirstKey; key < group.EndKey; key++)
        {
            var from = (long)(key - group.FirstKey) * d;
            QueryBlock<TLanes>.Copy(dk + from, d, t.Dk.At(key) + (keyHead * d));
            QueryBlock<TLanes>.Copy(dv + from, d, t.Dv.At(key) + (keyHead * d));
        }
    }

    /// <summary>dk and dv of a group that was cut: the sums of its parts, in order.</summary>
    /// <param name="t">The tensors.</param>
    /// <param name="group">The whole group.</param>
    /// <param name="index">Its number.</param>
    /// <param name="keyHead">Which key-value head.</param>
    /// <param name="parts">The parts of all groups.</param>
    /// <param name="sums">Where their sums stand.</param>
    public static void AddUp(
        in AttentionOperands t, KeyGroup group, int index, int keyHead, List<AttentionPart> parts, float* sums)
    {
        if (!IsCut(parts, index))
        {
            return;
        }

        var d = t.HeadDim;
        for (var key = group.FirstKey; key < group.EndKey; key++)
        {
            float* dk = t.Dk.At(key) + (keyHead * d), dv = t.Dv.At(key) + (keyHead * d);
            new Span<float>(dk, d).Clear();
            new Span<float>(dv, d).Clear();
            foreach (var part in parts)
            {
                if (part.IsCut && part.Group == index && key >= part.Rows.FirstKey && key < part.Rows.EndKey)
                {
                    var at = sums + part.SumsAt(keyHead, d) + ((long)(key - part.Rows.FirstKey) * d);
                    LaneMath.AddScaled<TLanes>(1, at, dk, d);
                    LaneMath.AddScaled<TLanes>(1, at + ((long)(part.Rows.EndKey - part.Rows.FirstKey) * d), dv, d);
                }
            }
        }
    }

    private static bool IsCut(List<AttentionPart> parts, int group)
    {
        foreach (var part in parts)
        {
            if (part.Group == group)
            {
                return part.IsCut;
            }
        }

        return false;
    }

    private static void RunBlock(
        in AttentionOperands t, KeyGroup block, int head, in Scratch s, int firstKey, float* dk, float* dv)
    {
        var (d, keyHead, rows) = (t.HeadDim, head / t.Group * t.HeadDim, block.End - block.First);
        float* q = t.Q.At(block.First) + (head * d), dy = t.Dy.At(block.First) + (head * d);
        QueryBlock<TLanes>.Transpose(q, t.Q.Stride, rows, d, s.Transposed);
        QueryBlock<TLanes>.Transpose(dy, t.Dy.Stride, rows, d, s.TransposedGradient);
        QueryBlock<TLanes>.Ranges(t, block, s.First, s.Last);
        Statistics(t, block, head, s);
        var coming = AttentionPrefetch.Backward(t, block, head);
        var turns = (block.EndKey - block.FirstKey + Keys - 1) / Keys;
        for (var key = block.FirstKey; key < block.EndKey; key += Keys)
        {
            var count = Math.Min(Keys, block.EndKey - key);
            var padded = QueryBlock<TLanes>.RoundUp(count);
            float* k = t.K.At(key) + keyHead, v = t.V.At(key) + keyHead;
            coming.PrefetchQueries(turns);
            QueryBlock<TLanes>.Scores(k, t.K.Stride, count, s.Transposed, d, t.Scale, s.Edge, s.P);
            QueryBlock<TLanes>.Scores(v, t.V.Stride, count, s.TransposedGradient, d, 1, s.Edge, s.Ds);
            if (!QueryBlock<TLanes>.SeesAll(s.First, s.Last, key, count))
            {
                QueryBlock<TLanes>.Mask(s.P, key, count, s.First, s.Last);
            }

            coming.PrefetchKeys(turns);
            Differentiate(s.P, s.Ds, s.LogSum, s.Delta, count, padded);
            coming.PrefetchResults(turns);
            var at = (long)(key - firstKey) * d;
            var ofValues = new MicroKernelOperands
            {
                A = s.P,
                RowStride = Queries,
                StepStride = 1,
                B = dy,
                PanelStride = t.Dy.Stride,
                K = rows,
                Scale = 1,
                C = dv + at,
                CStride = d,
            };
            var ofKeys = ofValues with { A = s.Ds, B = q, PanelStride = t.Q.Stride, Scale = t.Scale, C = dk + at };
            var ofQueries = ofKeys with
            {
                RowStride = 1,
                StepStride = Queries,
                B = k,
                PanelStride = t.K.Stride,
                K = count,
                C = s.Dq,
            };
            QueryBlock<TLanes>.Multiply(ofValues, padded, d, add: true);
            QueryBlock<TLanes>.Multiply(ofKeys, padded, d, add: true);
            QueryBlock<TLanes>.Multiply(ofQueries, QueryBlock<TLanes>.RoundUp(rows), d, add: key > block.FirstKey);
        }

        for (var i = 0; i < rows; i++)
        {
            QueryBlock<TLanes>.Copy(s.Dq + (i * d), d, t.Dq.At(block.First + i) + (head * d));
        }
    }

    /// <summary>logSum and δ of each query; a lane without a query has a logSum that makes its p zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Statistics(in AttentionOperands t, KeyGroup block, int head, in Scratch s)
    {
        new Span<float>(s.LogSum, Queries).Fill(-QueryBlock<TLanes>.Masked);
        new Span<float>(s.Delta, Queries).Clear();
        for (var n = block.First; n < block.End; n++)
        {
            var offset = head * t.HeadDim;
            var delta = LaneMath.Dot<TLanes>(t.Dy.At(n) + offset, t.Y.At(n) + offset, t.HeadDim);
            t.Delta.At(n)[head] = delta;
            s.Delta[n - block.First] = delta;
            s.LogSum[n - block.First] = t.LogSum.At(n)[head];
        }
    }

    /// <summary>
    /// From scores and dy · v to p = exp(score − logSum) and ds = p · (dy · v − δ); zero beyond the last key.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Differentiate(float* p, float* ds, float* logSum, float* delta, int count, int padded)
    {
        for (var i = 0; i < Queries; i += TLanes.Count)
        {
            var (shift, offset) = (TLanes.Load(logSum + i), TLanes.Load(delta + i));
            for (var place = i; place < count * Queries; place += Queries)
            {
                var probability = LaneMath.Exp(TLanes.Load(p + place) - shift);
                TLanes.Store(p + place, probability);
                TLanes.Store(ds + place, probability * (TLanes.Load(ds + place) - offset));
            }
        }

        new Span<float>(p + (count * Queries), (padded - count) * Queries).Clear();
        new Span<float>(ds + (count * Queries), (padded - count) * Queries).Clear();
    }

    /// <summary>
    /// Floats of dk, or of dv. Three rows more: a block of keys may begin anywhere in the group, and its products write
    /// whole fours of rows.
    /// </summary>
    private static long Size(int keys, int headDim) => (keys + 3L) * headDim;

    /// <summary>The working memory of one block.</summary>
    private readonly struct Scratch(float* at, int headDim)
    {
        public readonly float* P = at;
        public readonly float* Ds = at + (Keys * Queries);
        public readonly float* LogSum = at + (2 * Keys * Queries);
        public readonly float* Delta = at + (2 * Keys * Queries) + Queries;
        public readonly float* First = at + (2 * Keys * Queries) + (2 * Queries);
        public readonly float* Last = at + (2 * Keys * Queries) + (3 * Queries);
        public readonly float* Transposed = at + Fixed;
        public readonly float* TransposedGradient = at + Fixed + (Queries * headDim);
        public readonly float* Dq = at + Fixed + (2 * Queries * headDim);
        public readonly float* Edge = at + Fixed + (3 * Queries * headDim);

        private const int Fixed = (2 * Keys * Queries) + (4 * Queries);

        public static long Count(int headDim) => Fixed + (((3 * Queries) + 4) * headDim);
    }
}
