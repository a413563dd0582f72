using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>The innermost loop of every product: a small matrix of sums that stays in registers while k runs.</summary>
/// <remarks>
/// <code>
/// C[i, j] (+)= scale · Σ_k A(i, k) · B(k, j)          i &lt; Rows, j &lt; Vectors · Lanes
/// </code>
/// Each step of k loads one row of B as vectors and multiplies it by one broadcast value of A per row: 24 fused
/// multiply-adds to 14 loads in the 12 × 32 tile of AVX-512. The sums are named one by one because only named
/// variables live in registers; <c>l3</c> and <c>r3</c> are the left and right vector of row 3.
/// </remarks>
internal static unsafe class Tile<TLanes, TSize>
    where TLanes : struct, ILanes<TLanes>
    where TSize : struct, ITileSize
{
    /// <summary>So many steps of k take longer than memory needs to answer.</summary>
    private const int LongDepth = 128;

    /// <summary>How far ahead B is asked for: panels come from the second-level cache.</summary>
    private const int StepsAhead = 8;

    /// <param name="a">A(0, 0).</param>
    /// <param name="rowStride">Floats from A(i, k) to A(i + 1, k).</param>
    /// <param name="stepStride">Floats from A(i, k) to A(i, k + 1).</param>
    /// <param name="b">B(0, 0); the columns of one k stand together.</param>
    /// <param name="panelStride">Floats from B(k, j) to B(k + 1, j).</param>
    /// <param name="depth">How many k.</param>
    /// <param name="c">C[0, 0].</param>
    /// <param name="cStride">Floats from C[i, j] to C[i + 1, j].</param>
    /// <param name="scale">Multiplies the sums.</param>
    /// <param name="add">Whether C is added to, or overwritten.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(
        float* a,
        nint rowStride,
        nint stepStride,
        float* b,
        nint panelStride,
        int depth,
        float* c,
        nint cStride,
        float scale,
        bool add)
    {
        TLanes l0 = default, l1 = default, l2 = default, l3 = default, l4 = default, l5 = default;
        TLanes l6 = default, l7 = default, l8 = default, l9 = default, l10 = default, l11 = default;
        TLanes r0 = default, r1 = default, r2 = default, r3 = default, r4 = default, r5 = default;
        TLanes r6 = default, r7 = default, r8 = default, r9 = default, r10 = default, r11 = default;
        var twoRows = 2 * rowStride;
        float* a3 = a + rowStride + twoRows, a6 = a3 + rowStride + twoRows, a9 = a6 + rowStride + twoRows;
        if (depth >= LongDepth)
        {
            AskForResult(c, cStride);
        }

        for (var k = 0; k < depth; k++)
        {
            Prefetch.ToL1(b + (StepsAhead * panelStride));
            Prefetch.ToL1(b + (StepsAhead * panelStride) + TLanes.Count);
            var left = TLanes.Load(b);
            var right = TSize.Vectors > 1 ? TLanes.Load(b + TLanes.Count) : default;
            Step(*a, left, right, ref l0, ref r0);
            Step(a[rowStride], left, right, ref l1, ref r1);
            Step(a[twoRows], left, right, ref l2, ref r2);
            Step(*a3, left, right, ref l3, ref r3);
            if (TSize.Rows > 4)
            {
                Step(a3[rowStride], left, right, ref l4, ref r4);
                Step(a3[twoRows], left, right, ref l5, ref r5);
            }

            if (TSize.Rows > 6)
            {
                Step(*a6, left, right, ref l6, ref r6);
                Step(a6[rowStride], left, right, ref l7, ref r7);
            }

            if (TSize.Rows > 8)
            {
                Step(a6[twoRows], left, right, ref l8, ref r8);
                Step(*a9, left, right, ref l9, ref r9);
                Step(a9[rowStride], left, right, ref l10, ref r10);
                Step(a9[twoRows], left, right, ref l11, ref r11);
            }

            b += panelStride;
            a += stepStride;
            a3 += stepStride;
            a6 += stepStride;
            a9 += stepStride;
        }

        var factor = TLanes.Broadcast(scale);
        Put(l0, r0, factor, c, add);
        Put(l1, r1, factor, c + cStride, add);
        Put(l2, r2, factor, c + (2 * cStride), add);
        Put(l3, r3, factor, c + (3 * cStride), add);
        if (TSize.Rows > 4)
        {
            Put(l4, r4, factor, c + (4 * cStride), add);
            Put(l5, r5, factor, c + (5 * cStride), add);
        }

        if (TSize.Rows > 6)
        {
            Put(l6, r6, factor, c + (6 * cStride), add);
            Put(l7, r7, factor, c + (7 * cStride), add);
        }

        if (TSize.Rows > 8)
        {
            Put(l8, r8, factor, c + (8 * cStride), add);
            Put(l9, r9, factor, c + (9 * cStride), add);
            Put(l10, r10, factor, c + (10 * cStride), add);
            Put(l11, r11, factor, c + (11 * cStride), add);
        }
    }

    /// <summary>C is asked for while k runs, or the stores at the end would wait for memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AskForResult(float* c, nint stride)
    {
        for (var row = 0; row < TSize.Rows; row++, c += stride)
        {
            Prefetch.ToL1(c);
            Prefetch.ToL1(c + ((TSize.Vectors - 1) * TLanes.Count));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step(float value, TLanes left, TLanes right, ref TLanes leftSum, ref TLanes rightSum)
    {
        var x = TLanes.Broadcast(value);
        leftSum = TLanes.MultiplyAdd(x, left, leftSum);
        if (TSize.Vectors > 1)
        {
            rightSum = TLanes.MultiplyAdd(x, right, rightSum);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(TLanes left, TLanes right, TLanes factor, float* c, bool add)
    {
        TLanes.Store(c, add ? TLanes.MultiplyAdd(factor, left, TLanes.Load(c)) : TLanes.Multiply(factor, left));
        if (TSize.Vectors > 1)
        {
            c += TLanes.Count;
            TLanes.Store(c, add ? TLanes.MultiplyAdd(factor, right, TLanes.Load(c)) : TLanes.Multiply(factor, right));
        }
    }
}
