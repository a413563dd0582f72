using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>Ends every dot product the same way in any tile, so that all are summed in one order.</summary>
internal static unsafe class DotEnd<TLanes, TStored>
    where TLanes : struct, ILanes<TLanes>
    where TStored : struct, IStored
{
    /// <summary>Adds up the lanes, then the k that filled no vector, and writes C[row, column].</summary>
    /// <param name="p">The product.</param>
    /// <param name="row">Of C.</param>
    /// <param name="column">Of C.</param>
    /// <param name="lanes">The sums of the first <paramref name="k"/> terms.</param>
    /// <param name="a">The row of A.</param>
    /// <param name="b">The column of B.</param>
    /// <param name="k">The first remaining term.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(in MatrixProduct p, int row, int column, TLanes lanes, float* a, byte* b, int k)
    {
        var sum = TLanes.Sum(lanes);
        for (; k < p.K; k++)
        {
            sum += a[k] * TStored.LoadOne(b + (k * TStored.Size));
        }

        var before = p.Addend == null ? 0 : p.Addend[(row * p.AddendStride) + column];
        p.C[(row * p.CStride) + column] = before + (p.Scale * sum);
    }
}
