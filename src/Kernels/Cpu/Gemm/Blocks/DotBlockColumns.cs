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

    /// <summary>Bytes that memory brings ahead of the next four columns, as in <see cref="WideDot{TLayout}"/>.
    /// </summary>
    private const int Ahead = 8192;

    /// <summary>Computes a row of so many columns, a multiple of <see cref="Count"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(in MatrixProduct p, int row, (int First, int End) columns)
    {
        var depth = p.K;
        var bytes = (nint)p.BFormat.RowBytes((int)p.BStride);
        var size = TLayout.Size == 0 ? depth : TLayout.Size;
        var blockBytes = TLayout.Size == 0 ? bytes : TLayout.Bytes;
        var runBytes = TLayout.Size == 0 ? Count * Run : Count * TLayout.Bytes * Run / TLayout.Size;
        var table = TLayout.Table;

        // What is read back soon after it was stored must not lie in two lines.
        var scratch = stackalloc float[(Count * Scales) + (Prefetch.Line / sizeof(float))];
        var scales = (float*)(((nint)scratch + Prefetch.Line - 1) & -Prefetch.Line);
        for (var column = columns.First; column < columns.End; column += Count)
        {
            var a = p.A + (row * p.ARowStride);
            byte* b0 = p.B + (column * bytes), b1 = b0 + bytes, b2 = b1 + bytes, b3 = b2 + bytes;
            var next = b3 + bytes + Ahead;
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

                    // Written out, so that offsets and shifts are constants.
                    for (var half = 0; half < Run; half += 4 * TLanes.Count, a += 4 * TLanes.Count)
                    {
                        var at = (run, TLanes.Count == Run / 4 ? 0 : half);
                        s0 = Add(s0, a, b0, at, scales, table);
                        s1 = Add(s1, a, b1, at, scales + Scales, table);
                        s2 = Add(s2, a, b2, at, scales + (2 * Scales), table);
                        s3 = Add(s3, a, b3, at, scales + (3 * Scales), table);
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
    }

    /// <summary>Adds four vectors of a run, from an element on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Add(
        TLanes sum, float* a, byte* block, (int Run, int First) at, float* scales, float* table)
    {
        var (run, first) = at;
        sum = TLanes.MultiplyAdd(TLanes.Load(a), TLayout.Load<TLanes>(block, run, first, scales, table), sum);
        sum = TLanes.MultiplyAdd(
            TLanes.Load(a + TLanes.Count),
            TLayout.Load<TLanes>(block, run, first + TLanes.Count, scales, table), sum);
        sum = TLanes.MultiplyAdd(
            TLanes.Load(a + (2 * TLanes.Count)),
            TLayout.Load<TLanes>(block, run, first + (2 * TLanes.Count), scales, table), sum);
        return TLanes.MultiplyAdd(
            TLanes.Load(a + (3 * TLanes.Count)),
            TLayout.Load<TLanes>(block, run, first + (3 * TLanes.Count), scales, table), sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(in MatrixProduct p, int row, int column, TLanes sum) =>
        DotEnd<TLanes, StoredFloat32>.Store(p, row, column, sum, null, null, p.K);
}
