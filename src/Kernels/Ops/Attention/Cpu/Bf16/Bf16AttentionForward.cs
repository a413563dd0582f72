using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>
/// As <see cref="AttentionForwardBlocks{TLanes}"/>, both products on operands in bf16; softmax and all sums in fp32.
/// </summary>
/// <remarks>
/// Values are packed in pairs of rows, and the tile takes two pairs at a time, so blocks of keys begin at a multiple of
/// four; rows there that no query sees are masked as every other.
/// </remarks>
internal static unsafe class Bf16AttentionForward<TLanes, TProducts>
    where TLanes : struct, ILanes<TLanes>
    where TProducts : struct, IAttentionProducts
{
    private const int Queries = QueryBlock<TLanes>.Queries;
    private const int Keys = QueryBlock<TLanes>.Keys;

    /// <summary>Rows of keys that a tile of <see cref="Pack"/> packs.</summary>
    public const int PackedTogether = 64;

    /// <summary>Bytes of one key head: its packed values, or its copied keys.</summary>
    public static long HeadBytes(int keys, int headDim) =>
        (keys + 3L) / 4 * 4 * ((headDim + TileCode.Columns - 1) / TileCode.Columns) * TileCode.Columns
            * TProducts.ElementBytes;

    /// <summary>Packs some rows of V, and copies those of K where rows need it.</summary>
    /// <param name="products">How products are computed.</param>
    /// <param name="t">The tensors.</param>
    /// <param name="keys">Rows of keys.</param>
    /// <param name="part">Which <see cref="PackedTogether"/> rows.</param>
    public static void Pack(TProducts products, in Bf16AttentionOperands t, int keys, int part)
    {
        var (d, first) = (t.HeadDim, part * PackedTogether);
        var count = Math.Min(PackedTogether, keys - first);
        for (var head = 0; head < t.KeyHeads; head++)
        {
            var all = Values(t, keys, head);
            products.PackRows(
                t.V.At(first) + (head * d), t.V.Stride, count, all with { Start = (nint)products.At(all, first) });
            if (TProducts.CopiesRows)
            {
                products.CopyRows(
                    t.K.At(first) + (head * d), t.K.Stride, count, d, KeyAt(t, keys, head, first, out _));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(TProducts products, in Bf16AttentionOperands t, int keys, KeyGroup block, int head)
    {
        var (d, rows) = (t.HeadDim, block.End - block.First);
        float* queries = ThreadScratch.Floats((((3 * Queries) + 4) * d) + (2 * Keys * Queries) + (5 * Queries));
        float* output = queries + (Queries * d), spare = output + (Queries * d), edge = spare + (Queries * d);
        float* scores = edge + (4 * d), p = scores + (Keys * Queries);
        float* max = p + (Keys * Queries), sum = max + Queries, factor = sum + Queries;
        float* first = factor + Queries, last = first + Queries;
        products.PackColumns(t.Q.At(block.First) + (head * d), t.Q.Stride, rows, d, spare, (byte*)queries);
        QueryBlock<TLanes>.Ranges(t.Rest, block, first, last);
        new Span<float>(max, Queries).Fill(QueryBlock<TLanes>.Masked);
        new Span<float>(sum, Queries).Clear();
        var values = Values(t, keys, head / t.Group);
        var firstKey = block.FirstKey & ~3;
        var coming = AttentionPrefetch.Of(t, block, head);
        var turns = (block.EndKey - firstKey + Keys - 1) / Keys;
        for (var key = firstKey; key < block.EndKey; key += Keys)
        {
            coming.PrefetchQueries(turns);
            coming.PrefetchKeys(turns);
            var count = Math.Min(Keys, block.EndKey - key);
            var padded = QueryBlock<TLanes>.RoundUp(count);
            var k = KeyAt(t, keys, head / t.Group, key, out var stride);
            products.Scores(k, stride, count, d, (byte*)queries, t.Rest.Scale, edge, scores);
            if (!QueryBlock<TLanes>.SeesAll(first, last, key, count))
            {
                QueryBlock<TLanes>.Mask(scores, key, count, first, last);
            }

            AttentionForwardBlocks<TLanes>.OnlineSoftmax(scores, count, max, sum, factor);
            if (key > firstKey)
            {
                AttentionForwardBlocks<TLanes>.ScaleRows(output, d, rows, factor);
            }

            new Span<float>(scores + (count * Queries), (padded - count) * Queries).Clear();
            products.RoundForKeys(scores, padded, (byte*)p);
            products.SumOverKeys((byte*)p, (values, key), padded, 1, output, add: key > firstKey);
        }

        for (var i = 0; i < rows; i++)
        {
            factor[i] = 1 / sum[i];
            t.Rest.LogSum.At(block.First + i)[head] = max[i] + MathF.Log(sum[i]);
        }

        AttentionForwardBlocks<TLanes>.ScaleRows(output, d, rows, factor);
        for (var i = 0; i < rows; i++)
        {
            Bf16Rows.Narrow(output + (i * d), d, t.Y.At(block.First + i) + (head * d));
        }
    }

    private static PackedRows Values(in Bf16AttentionOperands t, int keys, int head) => new(
        t.PackedValues + (nint)(head * HeadBytes(keys, t.HeadDim)), Bf16AttentionOperands.PaddedKeys(keys), t.HeadDim);

    private static byte* KeyAt(in Bf16AttentionOperands t, int keys, int head, int key, out nint stride)
    {
        if (!TProducts.CopiesRows)
        {
            stride = t.K.Stride;
            return (byte*)(t.K.At(key) + (head * t.HeadDim));
        }

        stride = t.HeadDim;
        return (byte*)t.KeyCopy + (head * HeadBytes(keys, t.HeadDim)) + ((long)key * stride * TProducts.ElementBytes);
    }
}
