using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>Up to 32 queries of one head: what block-wise attention does forward and backward alike.</summary>
/// <remarks>
/// Scores stand transposed, [keys, 32]: a vector holds one key's scores for neighboring queries. So maxima, sums and
/// exponentials go lane by lane, and every product is a <see cref="MicroKernel{TLanes, TSize, TB}"/> on rows as they
/// lie in memory. The head size must be a multiple of <typeparamref name="TLanes"/>' count.
/// </remarks>
internal static unsafe class QueryBlock<TLanes>
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>Queries in a block: the lanes of two AVX-512 vectors.</summary>
    public const int Queries = 32;

    /// <summary>Keys taken at once: their scores (8 KB) and values stay in the first-level cache.</summary>
    public const int Keys = 64;

    /// <summary>The score of a key that a query may not see: far below any other, and finite.</summary>
    public const float Masked = -1e30f;

    /// <summary>Rows are computed four at a time.</summary>
    public static int RoundUp(int rows) => (rows + 3) & ~3;

    /// <summary>
    /// C [rows, columns] (+)= scale · Σ_k A(i, k) · B(k, j); rows a multiple of 4, columns of the lanes.
    /// </summary>
    /// <param name="operands">Where A, B and C begin.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(in MicroKernelOperands operands, int rows, int columns, bool add)
    {
        var t = operands;
        t.AddendStride = t.CStride;
        for (var j = 0; j < columns;)
        {
            var two = columns - j >= 2 * TLanes.Count;
            t.B = (float*)operands.B + j;
            for (var i = 0; i < rows;)
            {
                t.A = operands.A + (i * t.RowStride);
                t.C = operands.C + (i * t.CStride) + j;
                t.Addend = add ? t.C : null;
                var tall = !TLanes.ManyRegisters || rows - i < 8 ? 4 : rows - i < 12 ? 8 : 12;
                MicroKernels<TLanes>.Multiply(tall, two, t);
                i += tall;
            }

            j += two ? 2 * TLanes.Count : TLanes.Count;
        }
    }

    /// <summary>
    /// scores[j, i] = scale · Σ_e keys[j, e] · transposed[e, i] for whole rows of keys, as they lie in memory.
    /// </summary>
    /// <param name="keys">Keys (or values) of one head.</param>
    /// <param name="stride">Floats from key to key.</param>
    /// <param name="count">How many, at most <see cref="Keys"/>.</param>
    /// <param name="transposed">[headDim, 32] the block's queries (or output gradients).</param>
    /// <param name="headDim">d.</param>
    /// <param name="scale">Multiplies every score.</param>
    /// <param name="edge">[4, headDim] room for the last keys where they are no multiple of four.</param>
    /// <param name="scores">[<see cref="Keys"/>, 32].</param>
    public static void Scores(
        float* keys, nint stride, int count, float* transposed, int headDim, float scale, float* edge, float* scores)
    {
        var whole = count & ~3;
        var t = new MicroKernelOperands
        {
            A = keys,
            RowStride = stride,
            StepStride = 1,
            B = transposed,
            PanelStride = Queries,
            K = headDim,
            Scale = scale,
            C = scores,
            CStride = Queries,
        };
        Multiply(t, whole, Queries, add: false);
        if (whole == count)
        {
            return;
        }

        new Span<float>(edge, 4 * headDim).Clear();
        for (var j = whole; j < count; j++)
        {
            Copy(keys + (j * stride), headDim, edge + ((j - whole) * headDim));
        }

        Multiply(
            t with { A = edge, RowStride = headDim, C = scores + (whole * Queries) }, 4, Queries, add: false);
    }

    /// <summary>transposed[e, i] = rows[i, e]; lanes without a row are zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Transpose(float* rows, nint stride, int count, int headDim, float* transposed)
    {
        if (count < Queries)
        {
            new Span<float>(transposed, headDim * Queries).Clear();
        }

        var i = 0;
        for (; i <= count - TLanes.Count; i += TLanes.Count)
        {
            for (var e = 0; e < headDim; e += 4)
            {
                TLanes.Transpose(rows + (i * stride) + e, stride, transposed + (e * Queries) + i, Queries);
            }
        }

        for (; i < count; i++)
        {
            for (var e = 0; e < headDim; e++)
            {
                transposed[(e * Queries) + i] = rows[(i * stride) + e];
            }
        }
    }

    /// <summary>Each query's first and last key as floats, lane by lane; lanes without a query see no key.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Ranges(in AttentionOperands t, KeyGroup block, float* first, float* last)
    {
        for (var i = 0; i < Queries; i++)
        {
            var there = block.First + i < block.End;
            first[i] = there ? t.FirstKey.Pointer[block.First + i] : 1;
            last[i] = there ? t.LastKey.Pointer[block.First + i] : 0;
        }
    }

    /// <summary>Whether every query of a full block sees all of these keys, so that nothing need be masked.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool SeesAll(float* first, float* last, int key, int count)
    {
        for (var i = 0; i < Queries; i++)
        {
            if (first[i] > key || last[i] < key + count - 1)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Scores of keys outside a query's range become <see cref="Masked"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Mask(float* scores, int key, int count, float* first, float* last)
    {
        var masked = TLanes.Broadcast(Masked);
        for (var i = 0; i < Queries; i += TLanes.Count)
        {
            var (from, to) = (TLanes.Load(first + i), TLanes.Load(last + i));
            for (var j = 0; j < count; j++)
            {
                var place = scores + (j * Queries) + i;
                var here = TLanes.Broadcast(key + j);
                var score = TLanes.WhereLess(here, from, masked, TLanes.Load(place));
                TLanes.Store(place, TLanes.WhereLess(to, here, masked, score));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Copy(float* source, int count, float* destination)
    {
        for (var e = 0; e < count; e += TLanes.Count)
        {
            TLanes.Store(destination + e, TLanes.Load(source + e));
        }
    }
}
