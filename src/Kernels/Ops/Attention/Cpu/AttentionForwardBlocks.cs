using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>
/// Forward for one block of queries and one head: keys in blocks, softmax against a maximum that grows.
/// </summary>
/// <remarks>
/// <code>
/// for each block of keys:   s = scale · q kᵀ;   m′ = max(m, max s);   p = exp(s − m′);   c = exp(m − m′)
///                           sum = c · sum + Σ p;   o = c · o + p v
/// y = o / sum,   logSum = m + log sum
/// </code>
/// Milakov and Gimelshein 2018, arXiv:1805.02867; Dao et al. 2022, arXiv:2205.14135. A query that has seen no key yet
/// collects nonsense, and forgets it when c becomes 0 at its first key.
/// </remarks>
internal static unsafe class AttentionForwardBlocks<TLanes>
    where TLanes : struct, ILanes<TLanes>
{
    private const int Queries = QueryBlock<TLanes>.Queries;
    private const int Keys = QueryBlock<TLanes>.Keys;

    public static void Run(in AttentionOperands t, KeyGroup block, int head)
    {
        var (d, keyHead) = (t.HeadDim, head / t.Group * t.HeadDim);
        float* transposed = ThreadScratch.Floats((((2 * Queries) + 4) * d) + (Keys * Queries) + (5 * Queries));
        float* output = transposed + (Queries * d), edge = output + (Queries * d), scores = edge + (4 * d);
        float* max = scores + (Keys * Queries), sum = max + Queries, factor = sum + Queries;
        float* first = factor + Queries, last = first + Queries;
        var rows = block.End - block.First;
        QueryBlock<TLanes>.Transpose(t.Q.At(block.First) + (head * d), t.Q.Stride, rows, d, transposed);
        QueryBlock<TLanes>.Ranges(t, block, first, last);
        new Span<float>(output, Queries * d).Clear();
        new Span<float>(max, Queries).Fill(QueryBlock<TLanes>.Masked);
        new Span<float>(sum, Queries).Clear();
        var coming = AttentionPrefetch.Forward(t, block, head);
        var turns = (block.EndKey - block.FirstKey + Keys - 1) / Keys;
        for (var key = block.FirstKey; key < block.EndKey; key += Keys)
        {
            coming.PrefetchQueries(turns);
            var count = Math.Min(Keys, block.EndKey - key);
            QueryBlock<TLanes>.Scores(t.K.At(key) + keyHead, t.K.Stride, count, transposed, d, t.Scale, edge, scores);
            if (!QueryBlock<TLanes>.SeesAll(first, last, key, count))
            {
                QueryBlock<TLanes>.Mask(scores, key, count, first, last);
            }

            coming.PrefetchKeys(turns);
            OnlineSoftmax(scores, count, max, sum, factor);
            if (key > block.FirstKey)
            {
                ScaleRows(output, d, rows, factor);
            }

            var values = new MicroKernelOperands
            {
                A = scores,
                RowStride = 1,
                StepStride = Queries,
                B = t.V.At(key) + keyHead,
                PanelStride = t.V.Stride,
                K = count,
                Scale = 1,
                C = output,
                CStride = d,
            };
            QueryBlock<TLanes>.Multiply(values, QueryBlock<TLanes>.RoundUp(rows), d, add: true);
        }

        for (var i = 0; i < rows; i++)
        {
            factor[i] = 1 / sum[i];
            t.LogSum.At(block.First + i)[head] = max[i] + MathF.Log(sum[i]);
        }

        ScaleRows(output, d, rows, factor);
        for (var i = 0; i < rows; i++)
        {
            QueryBlock<TLanes>.Copy(output + (i * d), d, t.Y.At(block.First + i) + (head * d));
        }
    }

    /// <summary>Scores become p against the new maximum; factor is what everything before shrinks by.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void OnlineSoftmax(float* scores, int count, float* max, float* sum, float* factor)
    {
        for (var i = 0; i < Queries; i += TLanes.Count)
        {
            var before = TLanes.Load(max + i);
            TLanes even = before, odd = before;
            var j = 0;
            for (; j < count - 1; j += 2)
            {
                even = TLanes.Max(even, TLanes.Load(scores + (j * Queries) + i));
                odd = TLanes.Max(odd, TLanes.Load(scores + ((j + 1) * Queries) + i));
            }

            if (j < count)
            {
                even = TLanes.Max(even, TLanes.Load(scores + (j * Queries) + i));
            }

            var now = TLanes.Max(even, odd);
            var shrink = LaneMath.Exp(before - now);
            var total = TLanes.Load(sum + i) * shrink;
            for (j = 0; j < count; j++)
            {
                var p = LaneMath.Exp(TLanes.Load(scores + (j * Queries) + i) - now);
                TLanes.Store(scores + (j * Queries) + i, p);
                total += p;
            }

            TLanes.Store(max + i, now);
            TLanes.Store(sum + i, total);
            TLanes.Store(factor + i, shrink);
        }
    }

    /// <summary>Multiplies each row by its factor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ScaleRows(float* output, int headDim, int rows, float* factor)
    {
        for (var i = 0; i < rows; i++)
        {
            var row = output + (i * headDim);
            var scale = TLanes.Broadcast(factor[i]);
            for (var e = 0; e < headDim; e += TLanes.Count)
            {
                TLanes.Store(row + e, scale * TLanes.Load(row + e));
            }
        }
    }
}
