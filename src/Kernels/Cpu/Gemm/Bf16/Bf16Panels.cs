using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SafeLlama.Kernels;

/// <summary>Lays a block of B out as the bf16 tile reads it: panels [steps, 32] of pairs along k.</summary>
/// <remarks>
/// A pair is one dword, the even k in its lower half. A weight of a forward product holds pairs already, since k runs
/// along its rows: its dwords are transposed. For a gradient of the input k runs down the columns: two rows are
/// interleaved. Columns and steps beyond the last are zero.
/// </remarks>
internal static unsafe class Bf16Panels
{
    /// <summary>Columns of a panel.</summary>
    public const int Width = TileCode.Columns;

    private const int Half = Width / 2;

    /// <summary>Elements of k staged at once where a weight is rounded before it is transposed.</summary>
    private const int StageK = 128;

    /// <summary>More than <see cref="StageK"/>: rows 256 bytes apart would share cache sets.</summary>
    private const int StageStride = StageK + 32;

    /// <summary>Steps of a block of k: whole pairs, and whole turns of the tile's loop.</summary>
    public static int Steps(int k) => (((k + 1) / 2) + TileCode.Unroll - 1) / TileCode.Unroll * TileCode.Unroll;

    /// <summary>Packs columns <paramref name="column"/> … and k <paramref name="step"/> … of B.</summary>
    public static void Pack(in MatrixProduct p, int column, int columns, int step, int depth, uint* panels)
    {
        switch (p.BIsTransposed, p.BType)
        {
            case (true, DType.BFloat16):
                Transpose((ushort*)p.BAt(column, step), p.BStride, columns, depth, panels);
                break;
            case (true, _):
                Transpose(p, column, columns, step, depth, panels);
                break;
            case (false, DType.BFloat16):
                Bf16Interleaving.Pack((ushort*)p.BAt(step, column), p.BStride, columns, depth, panels);
                break;
            case (false, DType.Float32):
                Bf16Interleaving.Pack((float*)p.BAt(step, column), p.BStride, columns, depth, panels);
                break;
            default:
                Bf16Interleaving.Pack(p, column, columns, step, depth, panels);
                break;
        }
    }

    /// <summary>W [columns, depth] in bf16: a pair is a dword already, so dwords are transposed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transpose(ushort* w, nint stride, int columns, int depth, uint* panels)
    {
        var steps = Steps(depth);
        var stage = stackalloc ushort[Half * Width];
        for (var column = 0; column < (columns + Width - 1) / Width * Width; column += Half)
        {
            var to = panels + ((long)(column / Width * Width) * steps) + (column % Width);
            var rows = Math.Clamp(columns - column, 0, Half);
            var from = w + (column * stride);
            var k = 0;
            if (rows == Half && stride % 2 == 0)
            {
                for (; k <= depth - 8; k += 8, to += 4 * Width)
                {
                    PrefetchNextRows(from, stride, k);
                    Lanes512.Transpose((float*)(from + k), stride / 2, (float*)to, Width);
                    for (var v = 0; v < 4; v++)
                    {
                        var pairs = (ushort*)(to + (v * Width));
                        Bf16Rounding.Round(Vector512.Load(pairs)).Store(pairs);
                    }
                }
            }

            for (; k < 2 * steps; k += 8)
            {
                new Span<ushort>(stage, Half * Width).Clear();
                for (var row = 0; row < rows; row++)
                {
                    for (var i = 0; i < Math.Min(8, depth - k); i++)
                    {
                        stage[(row * Width) + i] = Bf16Rounding.Round(from[(row * stride) + k + i]);
                    }
                }

                TransposeStage(stage, Width, Math.Min(4, steps - (k / 2)), ref to);
            }
        }
    }

    /// <summary>
    /// W [columns, depth] in another format: sixteen rows are rounded to a small stage, then transposed.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transpose(in MatrixProduct p, int first, int columns, int step, int depth, uint* panels)
    {
        var steps = Steps(depth);
        var stage = stackalloc ushort[Half * StageStride];
        for (var column = 0; column < (columns + Width - 1) / Width * Width; column += Half)
        {
            var to = panels + ((long)(column / Width * Width) * steps) + (column % Width);
            for (var k = 0; k < 2 * steps; k += StageK)
            {
                var padded = Math.Min(StageK, (2 * steps) - k);
                for (var row = 0; row < Half; row++)
                {
                    var count = column + row < columns ? Math.Clamp(depth - k, 0, StageK) : 0;
                    Stage(p, first + column + row, step + k, count, stage + (row * StageStride), padded);
                }

                var pair = 0;
                for (; pair <= (padded / 2) - 4; pair += 4, to += 4 * Width)
                {
                    Lanes512.Transpose((float*)stage + pair, StageStride / 2, (float*)to, Width);
                }

                TransposeStage(stage + (2 * pair), StageStride, (padded / 2) - pair, ref to);
            }
        }
    }

    /// <summary>Rounds a part of a row; the row sixteen further down is fetched meanwhile.</summary>
    private static void Stage(in MatrixProduct p, int row, int k, int count, ushort* to, int padded)
    {
        if (p.BType == DType.Float32)
        {
            var from = (float*)p.BAt(row, k);
            for (var i = 0; i < count; i += Prefetch.Line / sizeof(float))
            {
                Prefetch.ToL2(from + (Half * p.BStride) + i);
            }

            Bf16Rounding.RoundRow(from, count, to, padded);
            return;
        }

        var floats = stackalloc float[StageK];
        if (count > 0)
        {
            p.DecodeB(row, k, new Span<float>(floats, count));
        }

        Bf16Rounding.RoundRow(floats, count, to, padded);
    }

    /// <summary>Few pairs of sixteen staged rows, one dword after another.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransposeStage(ushort* stage, int stride, int pairs, ref uint* to)
    {
        for (var pair = 0; pair < pairs; pair++, to += Width)
        {
            for (var row = 0; row < Half; row++)
            {
                to[row] = *(uint*)(stage + (row * stride) + (2 * pair));
            }
        }
    }

    /// <summary>Every fourth call in turn fetches the line at k of four of the next sixteen rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PrefetchNextRows(ushort* rows, nint stride, int k)
    {
        var next = rows + ((Half + ((k / 2) & 12)) * stride) + (k & ~31);
        for (var row = 0; row < 4; row++)
        {
            Prefetch.ToL2(next + (row * stride));
        }
    }
}
