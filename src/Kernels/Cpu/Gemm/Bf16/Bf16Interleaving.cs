using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SafeLlama.Kernels;

/// <summary>Pairs along k where k runs down the columns: two rows are interleaved.</summary>
/// <remarks>
/// So are the weight in a gradient of the input, and both operands in a gradient of the weight. The layouts are those
/// of <see cref="Bf16Panels"/> and <see cref="Bf16Operand"/>.
/// </remarks>
internal static unsafe class Bf16Interleaving
{
    private const int Width = Bf16Panels.Width;
    private const int Half = Width / 2;

    /// <summary>Steps of a panel written before the next panel: few enough lines of the weight to stay in L1.</summary>
    private const int StepsTogether = 8;

    private static readonly Vector512<ushort> LowPairs = Interleaving(0);
    private static readonly Vector512<ushort> HighPairs = Interleaving(16);

    /// <summary>W [depth, columns] in bf16: two rows are interleaved.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pack(ushort* w, nint stride, int columns, int depth, uint* panels)
    {
        var (low, high, steps) = (LowPairs, HighPairs, Bf16Panels.Steps(depth));
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
    public static void Pack(float* w, nint stride, int columns, int depth, uint* panels)
    {
        var steps = Bf16Panels.Steps(depth);
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
    public static void Pack(in MatrixProduct p, int first, int columns, int step, int depth, uint* panels)
    {
        const int Columns = Bf16Gemm.MaxColumns;
        var steps = Bf16Panels.Steps(depth);
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
            for (var half = 0; half < Width; half += Half)
            {
                Bf16Rounding.RoundPairs(Vector512.Load(from + half), Vector512.Load(from + stride + half))
                    .Store(to + half);
            }

            return;
        }

        var i = 0;
        if (columns >= Half && depth > 1)
        {
            Bf16Rounding.RoundPairs(Vector512.Load(from), Vector512.Load(from + stride)).Store(to);
            i = Half;
        }

        for (; i < Width; i++)
        {
            uint even = i < columns && depth > 0 ? Bf16Rounding.Round(from[i]) : 0u;
            uint odd = i < columns && depth > 1 ? Bf16Rounding.Round(from[stride + i]) : 0u;
            to[i] = even | (odd << 16);
        }
    }

    /// <summary>One step of a panel whose last columns, or whose last k, are missing.</summary>
    private static void InterleaveEdge(ushort* from, nint stride, int columns, int depth, uint* to)
    {
        var i = 0;
        if (columns >= Half && depth > 1)
        {
            var even = Bf16Rounding.Round(Vector256.Load(from).ToVector512());
            var odd = Bf16Rounding.Round(Vector256.Load(from + stride).ToVector512());
            (Vector512.WidenLower(even) | Vector512.ShiftLeft(Vector512.WidenLower(odd), 16)).Store(to);
            i = Half;
        }

        for (; i < Width; i++)
        {
            uint even = i < columns && depth > 0 ? Bf16Rounding.Round(from[i]) : 0u;
            uint odd = i < columns && depth > 1 ? Bf16Rounding.Round(from[stride + i]) : 0u;
            to[i] = even | (odd << 16);
        }
    }

    /// <summary>
    /// A [depth, rows] in fp32, to panels [rows / 12, steps, 12] of pairs: dy, where a weight is trained.
    /// </summary>
    public static void PackA(float* a, nint stride, int rows, int depth, (int First, int End) blocks, uint* panels) =>
        PackA<float, WidePair>(a, stride, rows, depth, blocks, panels);

    /// <summary>The same where A is bf16 already.</summary>
    public static void PackA(ushort* a, nint stride, int rows, int depth, (int First, int End) blocks, uint* panels) =>
        PackA<ushort, NarrowPair>(a, stride, rows, depth, blocks, panels);

    /// <remarks>
    /// Step by step across all blocks, which are neighbors in memory: each cache line of A is read once, and in order.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackA<T, TPair>(
        T* a, nint stride, int rows, int depth, (int First, int End) blocks, uint* panels)
        where T : unmanaged
        where TPair : IPair<T>
    {
        var steps = Bf16Panels.Steps(depth);
        // Sixteen are read for twelve: where the next step lies behind, they are A's.
        var whole = stride >= Half - 1 ? depth - 2 : 0;
        var lastIsThere = Vector512.LessThan(
            Vector512<uint>.Indices, Vector512.Create((uint)(rows - ((blocks.End - 1) * TileCode.Rows))));
        for (var step = 0; step < steps; step++)
        {
            var from = a + (2 * step * stride);
            for (var block = blocks.First; block < blocks.End; block++)
            {
                var row = block * TileCode.Rows;
                var to = panels + ((((long)block * steps) + step) * TileCode.Rows);
                if (2 * step < whole)
                {
                    Prefetch.ToL2(from + row + (2 * StepsTogether * stride));
                    Prefetch.ToL2(from + row + (((2 * StepsTogether) + 1) * stride));
                    var pairs = TPair.Of(from + row, from + row + stride);
                    pairs = block + 1 == blocks.End ? pairs & lastIsThere : pairs;
                    pairs.GetLower().Store(to);
                    pairs.GetUpper().GetLower().Store(to + 8);
                    continue;
                }

                for (var i = 0; i < TileCode.Rows; i++)
                {
                    uint even = row + i < rows && 2 * step < depth ? TPair.Rounded(from[row + i]) : 0u;
                    uint odd = row + i < rows && (2 * step) + 1 < depth ? TPair.Rounded(from[row + stride + i]) : 0u;
                    to[i] = even | (odd << 16);
                }
            }
        }
    }

    /// <summary>Selects elements first … first + 15 of two rows, in pairs.</summary>
    private static Vector512<ushort> Interleaving(int first) => Vector512.Create([.. Enumerable.Range(0, Width)
        .Select(i => (ushort)((i % 2 * Width) + first + (i / 2)))]);

    /// <summary>How two rows of a type become pairs of bf16.</summary>
    private interface IPair<T>
        where T : unmanaged
    {
        /// <summary>Sixteen pairs, the even row's numbers in the lower halves.</summary>
        static abstract Vector512<uint> Of(T* even, T* odd);

        static abstract ushort Rounded(T value);
    }

    private readonly struct WidePair : IPair<float>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<uint> Of(float* even, float* odd) =>
            Bf16Rounding.RoundPairs(Vector512.Load(even), Vector512.Load(odd));

        public static ushort Rounded(float value) => Bf16Rounding.Round(value);
    }

    /// <summary>What is stored in bf16 is rounded already.</summary>
    private readonly struct NarrowPair : IPair<ushort>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<uint> Of(ushort* even, ushort* odd) =>
            Avx512F.ConvertToVector512UInt32(Vector256.Load(even))
            | Vector512.ShiftLeft(Avx512F.ConvertToVector512UInt32(Vector256.Load(odd)), 16);

        public static ushort Rounded(ushort value) => value;
    }
}
