using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

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

    /// <summary>Steps of a panel written before the next panel: few enough lines of the weight to stay in L1.</summary>
    private const int StepsTogether = 8;

    private static readonly Vector512<ushort> LowPairs = Interleaving(0);
    private static readonly Vector512<ushort> HighPairs = Interleaving(16);

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
                Interleave((ushort*)p.BAt(step, column), p.BStride, columns, depth, panels);
                break;
            case (false, DType.Float32):
                Interleave((float*)p.BAt(step, column), p.BStride, columns, depth, panels);
                break;
            default:
                Interleave(p, column, columns, step, depth, panels);
                break;
        }
    }

    /// <summary>A [depth, rows] in fp32, to panels [rows / 12, steps, 12] of pairs: dy, where a weight is trained.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void PackA(float* a, nint stride, int rows, int depth, (int First, int End) blocks, uint* panels)
    {
        var steps = Steps(depth);
        for (var block = blocks.First; block < blocks.End; block++)
        {
            var row = block * TileCode.Rows;
            var to = panels + ((long)row * steps);
            for (var step = 0; step < steps; step++, to += TileCode.Rows)
            {
                var from = a + (2 * step * stride) + row;
                if ((2 * step) + 2 < depth && row + TileCode.Rows <= rows)
                {
                    // Sixteen are read: the row behind is there.
                    Prefetch.ToL2(from + (2 * StepsTogether * stride));
                    Prefetch.ToL2(from + (((2 * StepsTogether) + 1) * stride));
                    var pairs = Bf16Rounding.RoundPairs(Vector512.Load(from), Vector512.Load(from + stride));
                    pairs.GetLower().Store(to);
                    pairs.GetUpper().GetLower().Store(to + 8);
                    continue;
                }

                for (var i = 0; i < TileCode.Rows; i++)
                {
                    var isThere = row + i < rows;
                    uint even = isThere && 2 * step < depth ? Bf16Rounding.Round(from[i]) : 0u;
                    uint odd = isThere && (2 * step) + 1 < depth ? Bf16Rounding.Round(from[stride + i]) : 0u;
                    to[i] = even | (odd << 16);
                }
            }
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
                    TransposeFour((float*)(from + k), stride / 2, (float*)to);
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

    /// <summary>W [columns, depth] in another format: sixteen rows are rounded to a small stage, then transposed.</summary>
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
                    TransposeFour((float*)stage + pair, StageStride / 2, (float*)to);
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

    /// <summary>W [depth, columns] in bf16: two rows are interleaved.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Interleave(ushort* w, nint stride, int columns, int depth, uint* panels)
    {
        var (low, high, steps) = (LowPairs, HighPairs, Steps(depth));
        for (var first = 0; first < steps; first += StepsTogether)
        {
            for (var column = 0; column < columns; column += Width)
            {
                var to = panels + ((long)column * steps) + (first * Width);
                for (var step = first; step < Math.Min(steps, first + StepsTogether); step++, to += Width)
                {
                    var from = w + (2 * step * stride) + column;
                    if (columns - column < Width || (2 * step) + 1 >= depth)
                    {
                        InterleaveEdge(from, stride, columns - column, depth - (2 * step), to);
                        continue;
                    }

                    Prefetch.ToL2(from + (2 * StepsTogether * stride));
                    Prefetch.ToL2(from + (((2 * StepsTogether) + 1) * stride));
                    var even = Bf16Rounding.Round(Vector512.Load(from));
                    var odd = Bf16Rounding.Round(Vector512.Load(from + stride));
                    Avx512BW.PermuteVar32x16x2(even, low, odd).Store((ushort*)to);
                    Avx512BW.PermuteVar32x16x2(even, high, odd).Store((ushort*)(to + Half));
                }
            }
        }
    }

    /// <summary>W [depth, columns] in fp32: two rows are rounded and merged.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Interleave(float* w, nint stride, int columns, int depth, uint* panels)
    {
        var steps = Steps(depth);
        for (var first = 0; first < steps; first += StepsTogether)
        {
            for (var column = 0; column < columns; column += Width)
            {
                var to = panels + ((long)column * steps) + (first * Width);
                for (var step = first; step < Math.Min(steps, first + StepsTogether); step++, to += Width)
                {
                    var from = w + (2 * step * stride) + column;
                    Prefetch.ToL2(from + (2 * StepsTogether * stride));
                    Prefetch.ToL2(from + (2 * StepsTogether * stride) + Half);
                    Prefetch.ToL2(from + (((2 * StepsTogether) + 1) * stride));
                    Prefetch.ToL2(from + (((2 * StepsTogether) + 1) * stride) + Half);
                    Merge(from, stride, columns - column, depth - (2 * step), to);
                }
            }
        }
    }

    /// <summary>W [depth, columns] in another format: two rows are decoded, then rounded and merged.</summary>
    private static void Interleave(in MatrixProduct p, int first, int columns, int step, int depth, uint* panels)
    {
        const int Columns = Bf16Gemm.MaxColumns;
        var steps = Steps(depth);
        var rows = stackalloc float[2 * Columns];
        for (var pair = 0; pair < steps; pair++)
        {
            for (var i = 0; i < Math.Clamp(depth - (2 * pair), 0, 2); i++)
            {
                p.DecodeB(step + (2 * pair) + i, first, new Span<float>(rows + (i * Columns), columns));
            }

            for (var column = 0; column < columns; column += Width)
            {
                var to = panels + ((long)column * steps) + (pair * Width);
                Merge(rows + column, Columns, columns - column, depth - (2 * pair), to);
            }
        }
    }

    /// <summary>One step of a panel from two rows of floats; columns and rows that are missing are zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Merge(float* from, nint stride, int columns, int depth, uint* to)
    {
        if (columns >= Width && depth > 1)
        {
            for (var i = 0; i < Width; i += Half)
            {
                Bf16Rounding.RoundPairs(Vector512.Load(from + i), Vector512.Load(from + stride + i)).Store(to + i);
            }

            return;
        }

        for (var i = 0; i < Width; i++)
        {
            uint even = i < columns && depth > 0 ? Bf16Rounding.Round(from[i]) : 0u;
            uint odd = i < columns && depth > 1 ? Bf16Rounding.Round(from[stride + i]) : 0u;
            to[i] = even | (odd << 16);
        }
    }

    /// <summary>One step of a panel whose last columns, or whose last k, are missing.</summary>
    private static void InterleaveEdge(ushort* from, nint stride, int columns, int depth, uint* to)
    {
        for (var i = 0; i < Width; i++)
        {
            uint even = i < columns && depth > 0 ? Bf16Rounding.Round(from[i]) : 0u;
            uint odd = i < columns && depth > 1 ? Bf16Rounding.Round(from[stride + i]) : 0u;
            to[i] = even | (odd << 16);
        }
    }

    /// <summary>Few pairs of sixteen staged rows, one dword after another.</summary>
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

    /// <summary>Four dwords of sixteen rows: dword p of row i becomes element i of vector p.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TransposeFour(float* rows, nint stride, float* to)
    {
        var (r0, r1) = (Quarters(rows, stride), Quarters(rows + stride, stride));
        var (r2, r3) = (Quarters(rows + (2 * stride), stride), Quarters(rows + (3 * stride), stride));
        var (low01, high01) = (Avx512F.UnpackLow(r0, r1).AsDouble(), Avx512F.UnpackHigh(r0, r1).AsDouble());
        var (low23, high23) = (Avx512F.UnpackLow(r2, r3).AsDouble(), Avx512F.UnpackHigh(r2, r3).AsDouble());
        Avx512F.UnpackLow(low01, low23).AsSingle().Store(to);
        Avx512F.UnpackHigh(low01, low23).AsSingle().Store(to + Width);
        Avx512F.UnpackLow(high01, high23).AsSingle().Store(to + (2 * Width));
        Avx512F.UnpackHigh(high01, high23).AsSingle().Store(to + (3 * Width));
    }

    /// <summary>Four dwords of each of four rows that are four rows apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Quarters(float* row, nint stride)
    {
        var value = Vector128.Load(row).ToVector256Unsafe().ToVector512Unsafe();
        value = Avx512F.InsertVector128(value, Vector128.Load(row + (4 * stride)), 1);
        value = Avx512F.InsertVector128(value, Vector128.Load(row + (8 * stride)), 2);
        return Avx512F.InsertVector128(value, Vector128.Load(row + (12 * stride)), 3);
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

    /// <summary>Selects elements first … first + 15 of two rows, in pairs.</summary>
    private static Vector512<ushort> Interleaving(int first) => Vector512.Create([.. Enumerable.Range(0, Width)
        .Select(i => (ushort)((i % 2 * Width) + first + (i / 2)))]);
}
