using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>One or two rows of A against column after column of B, in the order in which B lies in memory.</summary>
/// <remarks>
/// <code>
/// C[i, j] (+)= scale · Σ_k A(i, k) · B(k, j)          i &lt; 1 or 2, B stored by columns
/// </code>
/// Decoding one token uses each weight once, so memory decides. It serves a single rising stream fastest, about twice
/// as fast as several columns read side by side. One sum a column is enough: the processor works ahead into the next.
/// </remarks>
internal static unsafe class DotStream<TLanes, TStored>
    where TLanes : struct, ILanes<TLanes>
    where TStored : struct, IStored
{
    /// <summary>Computes the rows, one or two, and the columns given.</summary>
    public static void Multiply(in MatrixProduct p, (int First, int End) rows, (int First, int End) columns)
    {
        if (rows.End - rows.First == 1)
        {
            OneRow(p, rows.First, columns);
        }
        else
        {
            TwoRows(p, rows.First, columns);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRow(in MatrixProduct p, int row, (int First, int End) columns)
    {
        float* a = p.A + (row * p.ARowStride);
        var (bStride, depth) = (p.BStride * TStored.Size, p.Depth);
        var b = p.B + (columns.First * bStride);
        for (var column = columns.First; column < columns.End; column++, b += bStride)
        {
            TLanes sum = default;
            var k = 0;
            for (; k <= depth - TLanes.Count; k += TLanes.Count)
            {
                sum = TLanes.MultiplyAdd(TLanes.Load(a + k), TStored.Load<TLanes>(b + (k * TStored.Size)), sum);
            }

            DotEnd<TLanes, TStored>.Put(p, row, column, sum, a, b, k);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TwoRows(in MatrixProduct p, int row, (int First, int End) columns)
    {
        float* a0 = p.A + (row * p.ARowStride), a1 = a0 + p.ARowStride;
        var (bStride, depth) = (p.BStride * TStored.Size, p.Depth);
        var b = p.B + (columns.First * bStride);
        for (var column = columns.First; column < columns.End; column++, b += bStride)
        {
            TLanes sum0 = default, sum1 = default;
            var k = 0;
            for (; k <= depth - TLanes.Count; k += TLanes.Count)
            {
                var weight = TStored.Load<TLanes>(b + (k * TStored.Size));
                sum0 = TLanes.MultiplyAdd(TLanes.Load(a0 + k), weight, sum0);
                sum1 = TLanes.MultiplyAdd(TLanes.Load(a1 + k), weight, sum1);
            }

            DotEnd<TLanes, TStored>.Put(p, row, column, sum0, a0, b, k);
            DotEnd<TLanes, TStored>.Put(p, row + 1, column, sum1, a1, b, k);
        }
    }
}
