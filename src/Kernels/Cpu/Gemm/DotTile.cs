using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>
/// Four rows of A against a few columns of B, vectors running along k: for few rows, where packing would not pay.
/// </summary>
/// <remarks>
/// <code>
/// C[i, j] = addend[i, j] + scale · Σ_k A(i, k) · B(k, j)          i &lt; 4, j &lt; Count, B stored by columns
/// </code>
/// Every element of the weight is loaded once and used for all rows. The columns are read side by side, which is slow
/// from memory, so the tile prefetches the cache lines of the next one in memory order. The sums are named <c>sij</c>.
/// </remarks>
internal static unsafe class DotTile<TLanes, TStored, TSize>
    where TLanes : struct, ILanes<TLanes>
    where TStored : struct, IStored
    where TSize : struct, IDotSize
{
    /// <param name="p">The product; the k of a row of A and of a column of B stand together.</param>
    /// <param name="row">The first of four rows.</param>
    /// <param name="column">The first column.</param>
    /// <param name="prefetches">Whether to prefetch the weight of the columns after these.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(in MatrixProduct p, int row, int column, bool prefetches)
    {
        var a0 = p.A + (row * p.ARowStride);
        float* a1 = a0 + p.ARowStride, a2 = a1 + p.ARowStride, a3 = a2 + p.ARowStride;
        var (bStride, depth) = (p.BStride * TStored.Size, p.K);
        var b = p.B + (column * bStride);
        var next = b + (TSize.Count * bStride);
        TLanes s00 = default, s01 = default, s02 = default, s03 = default, s04 = default, s05 = default;
        TLanes s10 = default, s11 = default, s12 = default, s13 = default, s14 = default, s15 = default;
        TLanes s20 = default, s21 = default, s22 = default, s23 = default, s24 = default, s25 = default;
        TLanes s30 = default, s31 = default, s32 = default, s33 = default, s34 = default, s35 = default;
        var k = 0;
        for (; k <= depth - TLanes.Count; k += TLanes.Count)
        {
            if (prefetches)
            {
                next = PrefetchNext(next);
            }

            TLanes x0 = TLanes.Load(a0 + k), x1 = TLanes.Load(a1 + k), x2 = TLanes.Load(a2 + k),
            x3 = TLanes.Load(a3 + k);
            var at = b + (k * TStored.Size);
            var w = TStored.Load<TLanes>(at);
            Step(w, x0, x1, ref s00, ref s10);
            Step(w, x2, x3, ref s20, ref s30);
            if (TSize.Count > 1)
            {
                w = TStored.Load<TLanes>(at + bStride);
                Step(w, x0, x1, ref s01, ref s11);
                Step(w, x2, x3, ref s21, ref s31);
            }

            if (TSize.Count > 2)
            {
                w = TStored.Load<TLanes>(at + (2 * bStride));
                Step(w, x0, x1, ref s02, ref s12);
                Step(w, x2, x3, ref s22, ref s32);
                w = TStored.Load<TLanes>(at + (3 * bStride));
                Step(w, x0, x1, ref s03, ref s13);
                Step(w, x2, x3, ref s23, ref s33);
            }

            if (TSize.Count > 4)
            {
                w = TStored.Load<TLanes>(at + (4 * bStride));
                Step(w, x0, x1, ref s04, ref s14);
                Step(w, x2, x3, ref s24, ref s34);
                w = TStored.Load<TLanes>(at + (5 * bStride));
                Step(w, x0, x1, ref s05, ref s15);
                Step(w, x2, x3, ref s25, ref s35);
            }
        }

        Finish(p, row, column, s00, s10, s20, s30, b);
        if (TSize.Count > 1)
        {
            Finish(p, row, column + 1, s01, s11, s21, s31, b + bStride);
        }

        if (TSize.Count > 2)
        {
            Finish(p, row, column + 2, s02, s12, s22, s32, b + (2 * bStride));
            Finish(p, row, column + 3, s03, s13, s23, s33, b + (3 * bStride));
        }

        if (TSize.Count > 4)
        {
            Finish(p, row, column + 4, s04, s14, s24, s34, b + (4 * bStride));
            Finish(p, row, column + 5, s05, s15, s25, s35, b + (5 * bStride));
        }
    }

    /// <summary>Asks for as many bytes as one step of k reads; gives the place after them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* PrefetchNext(byte* next)
    {
        var bytes = TSize.Count * TLanes.Count * TStored.Size;
        Prefetch.ToL2(next);
        if (bytes > Prefetch.Line)
        {
            Prefetch.ToL2(next + Prefetch.Line);
        }

        if (bytes > 2 * Prefetch.Line)
        {
            Prefetch.ToL2(next + (2 * Prefetch.Line));
        }

        if (bytes > 3 * Prefetch.Line)
        {
            Prefetch.ToL2(next + (3 * Prefetch.Line));
        }

        if (bytes > 4 * Prefetch.Line)
        {
            Prefetch.ToL2(next + (4 * Prefetch.Line));
            Prefetch.ToL2(next + (5 * Prefetch.Line));
        }

        return next + bytes;
    }

    /// <summary>Multiplies one vector of the weight by two rows of A.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step(TLanes w, TLanes x0, TLanes x1, ref TLanes s0, ref TLanes s1)
    {
        s0 = TLanes.MultiplyAdd(x0, w, s0);
        s1 = TLanes.MultiplyAdd(x1, w, s1);
    }

    /// <summary>One column of C.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(
        in MatrixProduct p, int row, int column, TLanes s0, TLanes s1, TLanes s2, TLanes s3, byte* b)
    {
        var k = p.K / TLanes.Count * TLanes.Count;
        var a0 = p.A + (row * p.ARowStride);
        DotEnd<TLanes, TStored>.Store(p, row, column, s0, a0, b, k);
        DotEnd<TLanes, TStored>.Store(p, row + 1, column, s1, a0 + p.ARowStride, b, k);
        DotEnd<TLanes, TStored>.Store(p, row + 2, column, s2, a0 + (2 * p.ARowStride), b, k);
        DotEnd<TLanes, TStored>.Store(p, row + 3, column, s3, a0 + (3 * p.ARowStride), b, k);
    }
}
