using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>The operands of one register tile, each from its first element.</summary>
/// <remarks>
/// <code>
/// C[i, j] = addend[i, j] + scale · (Σ_k A(i, k) · B(k, j) + Σ_k A′(i, k) · B′(k, j))
/// </code>
/// The second sum is that of a LoRA pair beside a frozen product, y = [x u] [W sB]ᵀ; without one its depth is zero.
/// </remarks>
internal unsafe struct MicroKernelOperands
{
    /// <summary>A(i, k) stands at i · <see cref="RowStride"/> + k · <see cref="StepStride"/>.</summary>
    public float* A;
    public nint RowStride;
    public nint StepStride;

    /// <summary>B(k, j) stands at element k · <see cref="PanelStride"/> + j, in any stored type.</summary>
    public void* B;
    public nint PanelStride;
    public int K;

    /// <summary>
    /// A′(i, k) stands at i · <see cref="LoraRowStride"/> + k, B′(k, j) in a panel of two vectors a step.
    /// </summary>
    public float* LoraA;
    public nint LoraRowStride;
    public float* LoraB;
    public int LoraK;

    public float Scale;

    public float* C;
    public nint CStride;

    /// <summary>Null for no addend, C itself to accumulate.</summary>
    public float* Addend;
    public nint AddendStride;
}

/// <summary>The innermost loop of every product: a small matrix of sums that stays in registers while k runs.</summary>
/// <remarks>
/// Rows and vectors are <typeparamref name="TSize"/>'s. Each step of k loads one row of B as vectors and multiplies it
/// by one broadcast value of A per row: 24 fused multiply-adds to 14 loads in the 12 × 32 tile of AVX-512. The sums
/// have names of their own because only named variables stay in registers; <c>l3</c> and <c>r3</c> are the left and
/// right vector of row 3.
/// </remarks>
/// <typeparam name="TLanes">Vectors.</typeparam>
/// <typeparam name="TSize">Rows and vectors.</typeparam>
/// <typeparam name="TB">What B is stored as; without a second sum where it is not fp32.</typeparam>
internal static unsafe class MicroKernel<TLanes, TSize, TB>
    where TLanes : struct, ILanes<TLanes>
    where TSize : struct, IMicroKernelSize
    where TB : struct, IStored
{
    /// <summary>So many steps of k take longer than memory needs to answer.</summary>
    private const int LongK = 128;

    /// <summary>How far ahead B is asked for: panels come from the second-level cache.</summary>
    private const int StepsAhead = 8;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(in MicroKernelOperands t)
    {
        TLanes l0 = default, l1 = default, l2 = default, l3 = default, l4 = default, l5 = default;
        TLanes l6 = default, l7 = default, l8 = default, l9 = default, l10 = default, l11 = default;
        TLanes r0 = default, r1 = default, r2 = default, r3 = default, r4 = default, r5 = default;
        TLanes r6 = default, r7 = default, r8 = default, r9 = default, r10 = default, r11 = default;
        if (t.K >= LongK)
        {
            PrefetchResult(t);
        }

        var a = t.A;
        var b = (byte*)t.B;
        var (rowStride, stepStride, stepBytes, depth) = (t.RowStride, t.StepStride, t.PanelStride * TB.Size, t.K);
        for (var more = TB.Size == sizeof(float) ? t.LoraK : 0; ; more = 0)
        {
            var twoRows = 2 * rowStride;
            float* a3 = a + rowStride + twoRows, a6 = a3 + rowStride + twoRows, a9 = a6 + rowStride + twoRows;
            for (; depth > 0; depth--)
            {
                Prefetch.ToL1(b + (StepsAhead * stepBytes));
                Prefetch.ToL1(b + (StepsAhead * stepBytes) + (TLanes.Count * TB.Size));
                var left = TB.Load<TLanes>(b);
                var right = TSize.Vectors > 1 ? TB.Load<TLanes>(b + (TLanes.Count * TB.Size)) : default;
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

                b += stepBytes;
                a += stepStride;
                a3 += stepStride;
                a6 += stepStride;
                a9 += stepStride;
            }

            if (more == 0)
            {
                break;
            }

            a = t.LoraA;
            b = (byte*)t.LoraB;
            (rowStride, stepStride, stepBytes, depth) = (t.LoraRowStride, 1, 2 * TLanes.Count * TB.Size, more);
        }

        var factor = TLanes.Broadcast(t.Scale);
        float* c = t.C, from = t.Addend;
        var (cStride, fromStride) = (t.CStride, t.AddendStride);
        Store(l0, r0, factor, ref c, cStride, ref from, fromStride);
        Store(l1, r1, factor, ref c, cStride, ref from, fromStride);
        Store(l2, r2, factor, ref c, cStride, ref from, fromStride);
        Store(l3, r3, factor, ref c, cStride, ref from, fromStride);
        if (TSize.Rows > 4)
        {
            Store(l4, r4, factor, ref c, cStride, ref from, fromStride);
            Store(l5, r5, factor, ref c, cStride, ref from, fromStride);
        }

        if (TSize.Rows > 6)
        {
            Store(l6, r6, factor, ref c, cStride, ref from, fromStride);
            Store(l7, r7, factor, ref c, cStride, ref from, fromStride);
        }

        if (TSize.Rows > 8)
        {
            Store(l8, r8, factor, ref c, cStride, ref from, fromStride);
            Store(l9, r9, factor, ref c, cStride, ref from, fromStride);
            Store(l10, r10, factor, ref c, cStride, ref from, fromStride);
            Store(l11, r11, factor, ref c, cStride, ref from, fromStride);
        }
    }

    /// <summary>C is prefetched while k runs, or the stores at the end would wait for memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PrefetchResult(in MicroKernelOperands t)
    {
        float* c = t.C, from = t.Addend;
        for (var row = 0; row < TSize.Rows; row++, c += t.CStride)
        {
            Prefetch.ToL1(c);
            Prefetch.ToL1(c + ((TSize.Vectors - 1) * TLanes.Count));
            if (from != null && from != c)
            {
                Prefetch.ToL1(from);
                Prefetch.ToL1(from + ((TSize.Vectors - 1) * TLanes.Count));
            }

            from += from == null ? 0 : t.AddendStride;
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

    /// <summary>One row of C; then c and from are at the next.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(
        TLanes left, TLanes right, TLanes factor, ref float* c, nint cStride, ref float* from, nint fromStride)
    {
        if (from == null)
        {
            TLanes.Store(c, TLanes.Multiply(factor, left));
            if (TSize.Vectors > 1)
            {
                TLanes.Store(c + TLanes.Count, TLanes.Multiply(factor, right));
            }
        }
        else
        {
            TLanes.Store(c, TLanes.MultiplyAdd(factor, left, TLanes.Load(from)));
            if (TSize.Vectors > 1)
            {
                var more = TLanes.Load(from + TLanes.Count);
                TLanes.Store(c + TLanes.Count, TLanes.MultiplyAdd(factor, right, more));
            }

            from += fromStride;
        }

        c += cStride;
    }
}
