using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>One, two or four rows of A against weights in blocks, decoded in registers.</summary>
/// <remarks>
/// Every weight becomes the same float as in <see cref="WeightFormat.Decode"/>, and is added in the same order as in
/// <see cref="DotStream{TLanes, TStored, TRows}"/>: the bytes of the result are those of the decoded weight.
/// </remarks>
internal static unsafe class DotBlocks<TLanes, TRows, TLayout>
    where TLanes : struct, IBlockLanes<TLanes>
    where TRows : struct, IDotSize
    where TLayout : struct, IBlockLayout
{
    /// <summary>Bytes ahead that are asked for: what memory brings while some columns are read.</summary>
    private const int Ahead = 2048;

    /// <summary>
    /// Computes <typeparamref name="TRows"/> rows from <paramref name="row"/> on, and the columns given.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(in MatrixProduct p, int row, (int First, int End) columns)
    {
        var (stride, depth) = (p.ARowStride, p.K);
        var bytes = (nint)p.BFormat.RowBytes((int)p.BStride);
        var size = TLayout.Size == 0 ? depth : TLayout.Size;
        var blockBytes = TLayout.Size == 0 ? bytes : TLayout.Bytes;
        var table = TLayout.Table;
        var scales = stackalloc float[IBlockLayout.MostScales];
        for (var column = columns.First; column < columns.End; column++)
        {
            TLanes s0 = default, s1 = default, s2 = default, s3 = default;
            var b = p.B + (column * bytes);
            float* a0 = p.A + (row * stride), a2 = a0 + (2 * stride);
            for (var k = 0; k < depth; k += size, b += blockBytes)
            {
                TLayout.Prepare(b, scales);
                for (var run = 0; run < size / IBlockLayout.Run; run++)
                {
                    Fetch(b, run);
                    for (var i = 0; i < IBlockLayout.Run; i += TLanes.Count)
                    {
                        var weight = TLayout.Load<TLanes>(b, run, i, scales, table);
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
                }
            }

            Store(p, row, column, s0);
            if (TRows.Count > 1)
            {
                Store(p, row + 1, column, s1);
            }

            if (TRows.Count > 2)
            {
                Store(p, row + 2, column, s2);
                Store(p, row + 3, column, s3);
            }
        }
    }

    /// <summary>Every line of the block once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fetch(byte* block, int run)
    {
        if (TLayout.Size == 0)
        {
            Prefetch.ToL2(block + Ahead + (run * (nint)IBlockLayout.Run));
        }
        else if (run * Prefetch.Line < TLayout.Bytes)
        {
            Prefetch.ToL2(block + Ahead + (run * Prefetch.Line));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(in MatrixProduct p, int row, int column, TLanes sum) =>
        DotEnd<TLanes, StoredFloat32>.Store(p, row, column, sum, null, null, p.K);
}
