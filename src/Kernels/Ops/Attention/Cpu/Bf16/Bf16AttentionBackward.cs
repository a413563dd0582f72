using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SafeLlama.Kernels;

/// <summary>
/// As <see cref="AttentionBackwardBlocks{TLanes}"/>, all five products on operands in bf16: q, k, v, dy, p and ds are
/// rounded, each once; softmax, δ and all sums are fp32.
/// </summary>
/// <remarks>
/// Keys are packed in pairs counted from the group's first key, and blocks of keys begin at every other pair.
/// </remarks>
internal static unsafe class Bf16AttentionBackward<TLanes, TProducts>
    where TLanes : struct, ILanes<TLanes>
    where TProducts : struct, IAttentionProducts
{
    private const int Queries = QueryBlock<TLanes>.Queries;
    private const int Keys = QueryBlock<TLanes>.Keys;

    /// <summary>Floats of scratch for a group with so many keys.</summary>
    public static long ScratchCount(int keys, int headDim) => (5 * Size(keys, headDim)) + Scratch.Count(headDim);

    /// <param name="products">How products are computed.</param>
    /// <param name="t">The tensors.</param>
    /// <param name="part">A group, or a part of one.</param>
    /// <param name="keyHead">Which key-value head.</param>
    /// <param name="sums">Where the dk and dv of parts go; those of a whole group are final.</param>
    public static void Run(
        TProducts products, in Bf16AttentionOperands t, AttentionPart part, int keyHead, float* sums)
    {
        var (d, group, rest) = (t.HeadDim, part.Rows, t.Rest);
        var count = group.EndKey - group.FirstKey;
        var size = Size(count, d);
        float* dk = ThreadScratch.Floats(ScratchCount(count, d));
        var keys = new GroupKeys(products, t, group, keyHead, dk + (2 * size), size);
        var scratch = new Scratch(dk + (5 * size), d);
        float* dv = dk + size;
        NativeMemory.Clear(dk, (nuint)(2 * size * sizeof(float)));
        for (var head = keyHead * t.Group; head < (keyHead + 1) * t.Group; head++)
        {
            for (var n = group.First; n < group.End; n += Queries)
            {
                var end = Math.Min(group.End, n + Queries);
                var block = KeyGroups.Tight(rest.FirstKey.AsSpan(), rest.LastKey.AsSpan(), n, end);
                RunBlock(products, t, block, head, scratch, keys, dk, dv);
            }
        }

        AttentionBackwardBlocks<TLanes>.Keep(rest, part, keyHead, dk, dv, sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunBlock(
        TProducts products, in Bf16AttentionOperands t, KeyGroup block, int head, in Scratch s, in GroupKeys keys,
        float* dk, float* dv)
    {
        var (d, rows, scale) = (t.HeadDim, block.End - block.First, t.Rest.Scale);
        var q = t.Q.At(block.First) + (head * d);
        var dy = (ushort*)s.Dy;
        for (var i = 0; i < rows; i++)
        {
            Bf16Rows.Narrow(t.Rest.Dy.At(block.First + i) + (head * d), d, dy + (i * d));
        }

        products.PackColumns(q, t.Q.Stride, rows, d, s.Spare, (byte*)s.QueryColumns);
        products.PackColumns(dy, d, rows, d, s.Spare, (byte*)s.DyColumns);
        PackedRows queryRows = new((nint)s.QueryRows, Queries, d), dyRows = new((nint)s.DyRows, Queries, d);
        if (rows < Queries)
        {
            NativeMemory.Clear(s.QueryRows, (nuint)(2 * Queries * d * sizeof(float)));
        }

        products.PackRows(q, t.Q.Stride, rows, queryRows);
        products.PackRows(dy, d, rows, dyRows);
        QueryBlock<TLanes>.Ranges(t.Rest, block, s.First, s.Last);
        Statistics(t, block, head, s);
        var firstKey = keys.First + ((block.FirstKey - keys.First) & ~3);
        var coming = AttentionPrefetch.Of(t, block, head);
        var turns = (block.EndKey - firstKey + Keys - 1) / Keys;
        for (var key = firstKey; key < block.EndKey; key += Keys)
        {
            coming.PrefetchQueries(turns);
            coming.PrefetchKeys(turns);
            coming.PrefetchResults(turns);
            var count = Math.Min(Keys, block.EndKey - key);
            var padded = QueryBlock<TLanes>.RoundUp(count);
            products.Scores(
                keys.KeyAt(key), keys.KeyStride, count, d, (byte*)s.QueryColumns, scale, s.Edge, s.P);
            products.Scores(keys.ValueAt(key), keys.ValueStride, count, d, (byte*)s.DyColumns, 1, s.Edge, s.Ds);
            if (!QueryBlock<TLanes>.SeesAll(s.First, s.Last, key, count))
            {
                QueryBlock<TLanes>.Mask(s.P, key, count, s.First, s.Last);
            }

            AttentionBackwardBlocks<TLanes>.Differentiate(s.P, s.Ds, s.LogSum, s.Delta, count, padded);
            var at = (long)(key - keys.First) * d;
            products.RoundForQueries(s.P, padded, (byte*)s.Rounded);
            products.SumOverQueries((byte*)s.Rounded, dyRows, padded, 1, dv + at);
            products.RoundForQueries(s.Ds, padded, (byte*)s.Rounded);
            products.SumOverQueries((byte*)s.Rounded, queryRows, padded, scale, dk + at);
            products.RoundForKeys(s.Ds, padded, (byte*)s.Rounded);
            products.SumOverKeys(
                (byte*)s.Rounded, (keys.Packed, key - keys.First), padded, scale, s.Dq, add: key > firstKey);
        }

        for (var i = 0; i < rows; i++)
        {
            QueryBlock<TLanes>.Copy(s.Dq + (i * d), d, t.Rest.Dq.At(block.First + i) + (head * d));
        }
    }

    /// <summary>logSum and δ of each query; a lane without a query has a logSum that makes its p zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Statistics(in Bf16AttentionOperands t, KeyGroup block, int head, in Scratch s)
    {
        var (d, offset) = (t.HeadDim, head * t.HeadDim);
        new Span<float>(s.LogSum, Queries).Fill(-QueryBlock<TLanes>.Masked);
        new Span<float>(s.Delta, Queries).Clear();
        for (var n = block.First; n < block.End; n++)
        {
            Bf16Rows.Widen(t.Y.At(n) + offset, d, s.Spare);
            var delta = LaneMath.Dot<TLanes>(t.Rest.Dy.At(n) + offset, s.Spare, d);
            t.Rest.Delta.At(n)[head] = delta;
            s.Delta[n - block.First] = delta;
            s.LogSum[n - block.First] = t.Rest.LogSum.At(n)[head];
        }
    }

    /// <summary>Floats of dk, of dv, or of one packed operand: whole fours of rows.</summary>
    private static long Size(int keys, int headDim) => (keys + 3L) / 4 * 4 * headDim;

    /// <summary>The keys and values of one group and head.</summary>
    private readonly struct GroupKeys
    {
        private readonly byte* _keys;
        private readonly byte* _values;

        /// <param name="at">Room for three operands of <paramref name="size"/> floats.</param>
        public GroupKeys(
            TProducts products, in Bf16AttentionOperands t, KeyGroup group, int head, float* at, long size)
        {
            var (d, count) = (t.HeadDim, group.EndKey - group.FirstKey);
            var k = t.K.At(group.FirstKey) + (head * d);
            var v = t.V.At(group.FirstKey) + (head * d);
            First = group.FirstKey;
            Packed = new((nint)at, Bf16AttentionOperands.PaddedKeys(count), d);
            products.PackRows(k, t.K.Stride, count, Packed);
            _keys = (byte*)k;
            _values = (byte*)v;
            (KeyStride, ValueStride) = (t.K.Stride, t.V.Stride);
            if (TProducts.CopiesRows)
            {
                _keys = (byte*)(at + size);
                _values = (byte*)(at + (2 * size));
                products.CopyRows(k, t.K.Stride, count, d, _keys);
                products.CopyRows(v, t.V.Stride, count, d, _values);
                (KeyStride, ValueStride) = (d, d);
            }
        }

        public int First { get; }

        public PackedRows Packed { get; }

        public nint KeyStride { get; }

        public nint ValueStride { get; }

        public byte* KeyAt(int key) => _keys + ((key - First) * KeyStride * TProducts.ElementBytes);

        public byte* ValueAt(int key) => _values + ((key - First) * ValueStride * TProducts.ElementBytes);
    }

    /// <summary>The working memory of one block.</summary>
    private readonly struct Scratch(float* at, int headDim)
    {
        public readonly float* P = at;
        public readonly float* Ds = at + (Keys * Queries);
        public readonly float* Rounded = at + (2 * Keys * Queries);
        public readonly float* LogSum = at + (3 * Keys * Queries);
        public readonly float* Delta = at + (3 * Keys * Queries) + Queries;
        public readonly float* First = at + (3 * Keys * Queries) + (2 * Queries);
        public readonly float* Last = at + (3 * Keys * Queries) + (3 * Queries);
        public readonly float* QueryColumns = at + Fixed;
        public readonly float* DyColumns = at + Fixed + (Queries * headDim);
        public readonly float* QueryRows = at + Fixed + (2 * Queries * headDim);
        public readonly float* DyRows = at + Fixed + (3 * Queries * headDim);
        public readonly float* Dq = at + Fixed + (4 * Queries * headDim);
        public readonly float* Spare = at + Fixed + (5 * Queries * headDim);
        public readonly float* Dy = at + Fixed + (6 * Queries * headDim);
        public readonly float* Edge = at + Fixed + (7 * Queries * headDim);

        private const int Fixed = (3 * Keys * Queries) + (4 * Queries);

        public static long Count(int headDim) => Fixed + (((7 * Queries) + 4) * headDim);
    }
}
