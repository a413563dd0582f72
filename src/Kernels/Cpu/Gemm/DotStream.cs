using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>
/// One, two or four rows of A against column after column of B, in the order in which B lies in memory.
/// </summary>
/// <remarks>
/// <code>
/// C[i, j] = addend[i, j] + scale · Σ_k A(i, k) · B(k, j)          i &lt; Rows, B stored by columns
/// </code>
/// Decoding uses each weight once per sequence, so memory bandwidth is the limit. Memory is fastest with a single
/// ascending stream, about twice as fast as with several columns side by side. One sum per row is enough, since the
/// processor works ahead into the next column.
/// </remarks>
internal static unsafe class DotStream<TLanes, TStored, TRows>
    where TLanes : struct, ILanes<TLanes>
    where TStored : struct, IStored
    where TRows : struct, IDotSize
{
    /// <summary>
    /// Computes <typeparamref name="TRows"/> rows from <paramref name="row"/> on, and the columns given.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(in MatrixProduct p, int row, (int First, int End) columns)
    {
        var (stride, bStride, depth) = (p.ARowStride, p.BStride * TStored.Size, p.K);
        var b = p.B + (columns.First * bStride);
        var first = p.A + (row * stride);
        for (var column = columns.First; column < columns.End; column++, b += bStride)
        {
            TLanes s0 = default, s1 = default, s2 = default, s3 = default;
            float* a0 = first, a2 = a0 + (2 * stride);
            var k = 0;
            for (; k <= depth - TLanes.Count; k += TLanes.Count)
            {
                var weight = TStored.Load<TLanes>(b + (k * TStored.Size));
                s0 = TLanes.MultiplyAdd(TLanes.Load(a0), weight, s0);
                if (TRows.Count > 1)
                {
                    s1 = TLanes.MultiplyAdd(TLanes.Load(a0 + stride), weight, s1);
                }

                if (TRows.Count > 2)
                {
                    s2 = TLanes.MultiplyAdd(TLanes.Load(a2), weight, s2);
                    s3 = TLanes.MultiplyAdd(TLanes.Load(a2 + stride), weight, s3);
                }

                a0 += TLanes.Count;
                a2 += TLanes.Count;
            }

            Store(p, row, column, s0, b, k);
            if (TRows.Count > 1)
            {
                Store(p, row + 1, column, s1, b, k);
            }

            if (TRows.Count > 2)
            {
                Store(p, row + 2, column, s2, b, k);
                Store(p, row + 3, column, s3, b, k);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(in MatrixProduct p, int row, int column, TLanes sum, byte* b, int k) =>
        DotEnd<TLanes, TStored>.Store(p, row, column, sum, p.A + (row * p.ARowStride), b, k);
}
