using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>One row of A against four weights' rows in blocks, decoded in registers.</summary>
/// <remarks>
/// A sum follows its own additions, one after another, so four sums keep the processor busy where one would wait. The
/// four lie side by side in memory: while they are read, the lines of the next four are asked for in rising order. Each
/// sum has the bytes that <see cref="DotBlocks{TLanes, TRows, TLayout}"/> gives.
/// </remarks>
internal static unsafe class DotBlockColumns<TLanes, TLayout>
    where TLanes : struct, IBlockLanes<TLanes>
    where TLayout : struct, IBlockLayout
{
    /// <summary>Columns of C.</summary>
    public const int Count = 4;

    private const int Run = IBlockLayout.Run;
    private const int Scales = IBlockLayout.MostScales;

    /// <summary>Computes four columns of a row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(in MatrixProduct p, int row, int column)
    {
        var depth = p.K;
        var bytes = (nint)p.BFormat.RowBytes((int)p.BStride);
        var size = TLayout.Size == 0 ? depth : TLayout.Size;
        var blockBytes = TLayout.Size == 0 ? bytes : TLayout.Bytes;
        var runBytes = Count * (blockBytes * Run / size);
        var table = TLayout.Table;
        var scales = stackalloc float[Count * Scales];
        var a = p.A + (row * p.ARowStride);
        byte* b0 = p.B + (column * bytes), b1 = b0 + bytes, b2 = b1 + bytes, b3 = b2 + bytes, next = b3 + bytes;
        TLanes s0 = default, s1 = default, s2 = default, s3 = default;
        for (var k = 0; k < depth; k += size)
        {
            TLayout.Prepare(b0, scales);
            TLayout.Prepare(b1, scales + Scales);
            TLayout.Prepare(b2, scales + (2 * Scales));
            TLayout.Prepare(b3, scales + (3 * Scales));
            for (var run = 0; run < size / Run; run++)
            {
                Prefetch.ToL2(next);
                Prefetch.ToL2(next + Prefetch.Line);
                next += runBytes;
                if (TLanes.Count == Run / 2)
                {
                    var x = TLanes.Load(a);
                    s0 = TLanes.MultiplyAdd(x, TLayout.Load<TLanes>(b0, run, 0, scales, table), s0);
                    s1 = TLanes.MultiplyAdd(x, TLayout.Load<TLanes>(b1, run, 0, scales + Scales, table), s1);
                    s2 = TLanes.MultiplyAdd(x, TLayout.Load<TLanes>(b2, run, 0, scales + (2 * Scales), table), s2);
                    s3 = TLanes.MultiplyAdd(x, TLayout.Load<TLanes>(b3, run, 0, scales + (3 * Scales), table), s3);
                    x = TLanes.Load(a + (Run / 2));
                    s0 = TLanes.MultiplyAdd(x, TLayout.Load<TLanes>(b0, run, Run / 2, scales, table), s0);
                    s1 = TLanes.MultiplyAdd(x, TLayout.Load<TLanes>(b1, run, Run / 2, scales + Scales, table), s1);
                    s2 = TLanes.MultiplyAdd(
                        x, TLayout.Load<TLanes>(b2, run, Run / 2, scales + (2 * Scales), table), s2);
                    s3 = TLanes.MultiplyAdd(
                        x, TLayout.Load<TLanes>(b3, run, Run / 2, scales + (3 * Scales), table), s3);
                    a += Run;
                    continue;
                }

                for (var i = 0; i < Run; i += TLanes.Count, a += TLanes.Count)
                {
                    var x = TLanes.Load(a);
                    s0 = TLanes.MultiplyAdd(x, TLayout.Load<TLanes>(b0, run, i, scales, table), s0);
                    s1 = TLanes.MultiplyAdd(x, TLayout.Load<TLanes>(b1, run, i, scales + Scales, table), s1);
                    s2 = TLanes.MultiplyAdd(x, TLayout.Load<TLanes>(b2, run, i, scales + (2 * Scales), table), s2);
                    s3 = TLanes.MultiplyAdd(x, TLayout.Load<TLanes>(b3, run, i, scales + (3 * Scales), table), s3);
                }
            }

            b0 += blockBytes;
            b1 += blockBytes;
            b2 += blockBytes;
            b3 += blockBytes;
        }

        Store(p, row, column, s0);
        Store(p, row, column + 1, s1);
        Store(p, row, column + 2, s2);
        Store(p, row, column + 3, s3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(in MatrixProduct p, int row, int column, TLanes sum) =>
        DotEnd<TLanes, StoredFloat32>.Store(p, row, column, sum, null, null, p.K);
}
