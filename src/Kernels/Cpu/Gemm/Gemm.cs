using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>The loop nest of a large product: each block of B is packed once and used by all rows of A.</summary>
/// <remarks>
/// <code>
/// for each block of columns            (up to 512: what a thread takes)
///   for each block of k                (up to 384)
///     pack the block of B              (up to 786 kB: stays in L2)
///     for each 12 rows of A            (stay in L1)
///       for each panel of 32 columns   one register tile
/// </code>
/// The order of the sum over k does not depend on where a tile begins, so the split of the work does not change the
/// result. Goto and van de Geijn 2008, "Anatomy of high-performance matrix multiplication".
/// </remarks>
internal static unsafe class Gemm<TLanes>
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>Most columns of a packed block.</summary>
    public const int MaxColumns = 512;

    private const int MaxK = 384;

    /// <summary>Steps that <see cref="MatrixProduct.LoraK"/> may have.</summary>
    public const int MaxLoraK = 512;

    /// <summary>Steps of k where B is read in place: few, so that C's row stays in L1 while B streams by.</summary>
    private const int DirectK = 32;

    private static int Width => PackedPanels<TLanes>.Width;

    /// <summary>Floats of scratch that <see cref="Run"/> needs.</summary>
    public static int ScratchCount =>
        (MaxColumns * MaxK) + PackedPanels<TLanes>.Slack + EdgeCount + (MicroKernels<TLanes>.TallRows * Width);

    /// <summary>Room for the rows of A, and of A′, that fill no tile, and for rounded ones.</summary>
    private static int EdgeCount => MicroKernels<TLanes>.TallRows * (Bf16Gemm.MaxK + MaxLoraK);

    /// <summary>Computes the rows and columns given, of all of p.</summary>
    /// <param name="p">The product.</param>
    /// <param name="rows">Rows of C.</param>
    /// <param name="columns">
    /// Columns of C, at most <see cref="MaxColumns"/>, or <see cref="Bf16Emulation.MaxColumns"/> in bf16.
    /// </param>
    /// <param name="direct">Reads a row-major Float32 B in place: for few rows, where packing would not pay.</param>
    /// <param name="scratch"><see cref="ScratchCount"/> floats.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(
        in MatrixProduct p, (int First, int End) rows, (int First, int End) columns, bool direct, float* scratch)
    {
        var stage = scratch + (MaxColumns * MaxK) + (4 * Width);
        var edge = scratch + (MaxColumns * MaxK) + PackedPanels<TLanes>.Slack;
        var corner = edge + EdgeCount;
        var rounds = p.Arithmetic == DType.BFloat16;
        var depthBlock = direct ? DirectK : rounds ? Bf16Gemm.BlockOf(p.K) : Balanced(p.K, MaxK, 16);
        var panels = (columns.End - columns.First + Width - 1) / Width;
        for (var step = 0; step < p.K; step += depthBlock)
        {
            var depth = Math.Min(depthBlock, p.K - step);
            var last = step + depth == p.K;
            if (direct)
            {
                PackTail(p, columns, step, depth, scratch, stage);
            }
            else if (rounds)
            {
                PackedPanels<TLanes>.PackRounded(
                    p, columns.First, columns.End - columns.First, step, depth, scratch, stage);
            }
            else
            {
                PackedPanels<TLanes>.Pack(p, columns.First, columns.End - columns.First, step, depth, scratch, stage);
            }

            var t = new MicroKernelOperands
            {
                K = depth,
                LoraK = last ? p.LoraK : 0,
                Scale = p.Scale,
                CStride = p.CStride,
                AddendStride = step > 0 ? p.CStride : p.AddendStride,
            };
            for (var row = rows.First; row < rows.End; row += MicroKernels<TLanes>.TallRows)
            {
                var count = Math.Min(MicroKernels<TLanes>.TallRows, rows.End - row);
                var tile = MicroKernels<TLanes>.RowsFor(count);
                t.A = p.A + (row * p.ARowStride) + (step * p.AStepStride);
                (t.RowStride, t.StepStride) = (p.ARowStride, p.AStepStride);
                t.LoraA = p.LoraA + (row * p.LoraAStride);
                t.LoraRowStride = p.LoraAStride;
                if (p.RoundsRows)
                {
                    Bf16Emulation.RoundRows(p, row, (count, tile), (step, depth), edge);
                    t.A = edge;
                    t.RowStride = depth;
                }
                else if (count < tile)
                {
                    MicroKernels<TLanes>.CopyEdge(t.A, t.RowStride, t.StepStride, count, tile, depth, edge);
                    t.A = edge;
                    (t.RowStride, t.StepStride) = (depth, 1);
                }

                if (count < tile && t.LoraK > 0)
                {
                    var loraEdge = edge + (tile * depth);
                    MicroKernels<TLanes>.CopyEdge(t.LoraA, t.LoraRowStride, 1, count, tile, t.LoraK, loraEdge);
                    t.LoraA = loraEdge;
                    t.LoraRowStride = t.LoraK;
                }

                for (var column = columns.First; column < columns.End; column += Width)
                {
                    var width = Math.Min(Width, columns.End - column);
                    var inPlace = direct && width == Width;
                    t.B = inPlace
                        ? (float*)p.BAt(step, column)
                        : scratch + ((long)(direct ? 0 : column - columns.First) * depth);
                    t.PanelStride = inPlace ? p.BStride : Width;
                    t.LoraB = p.LoraB + ((long)column * p.LoraK);
                    t.C = p.C + (row * p.CStride) + column;
                    t.Addend = step > 0 ? t.C : p.Addend == null ? null : p.Addend + (row * p.AddendStride) + column;
                    if (p.AStepStride == 1)
                    {
                        var next = row + MicroKernels<TLanes>.TallRows;
                        var end = Math.Min(rows.End, next + MicroKernels<TLanes>.TallRows);
                        var panel = (column - columns.First) / Width;
                        if (p.RoundsRows)
                        {
                            Bf16Emulation.PrefetchRows(p, (next, end), (step, depth), (panel, panels));
                        }
                        else
                        {
                            PrefetchNextRows(p, next, end, step, panel, panels);
                        }
                    }

                    var wide = width > TLanes.Count;
                    if (count == tile && (width == Width || width == TLanes.Count))
                    {
                        MicroKernels<TLanes>.Multiply(tile, wide, t);
                    }
                    else
                    {
                        MicroKernels<TLanes>.Multiply(
                            tile, wide, t with { C = corner, CStride = Width, Addend = null });
                        MicroKernels<TLanes>.CopyCorner(corner, count, width, t);
                    }
                }
            }
        }
    }

    /// <summary>
    /// The smallest equal parts of <paramref name="total"/> below <paramref name="most"/>, in whole units.
    /// </summary>
    private static int Balanced(int total, int most, int unit)
    {
        var parts = (total + most - 1) / most;
        return Math.Max(1, ((((total + parts - 1) / parts) + unit - 1) / unit) * unit);
    }

    /// <summary>Where B is read in place, its last columns still need zeros beside them.</summary>
    private static void PackTail(
        in MatrixProduct p, (int First, int End) columns, int step, int depth, float* panel, float* stage)
    {
        var tail = (columns.End - columns.First) % Width;
        if (tail > 0)
        {
            PackedPanels<TLanes>.Pack(p, columns.End - tail, tail, step, depth, panel, stage);
        }
    }

    /// <summary>
    /// Asks for where the next rows of A begin, a share of them at each panel; the rest the machine foresees by itself.
    /// </summary>
    /// <remarks>
    /// Asking for whole rows costs more than it gains where memory is foreseen well: 2 to 4% of a product on Zen 5.
    /// </remarks>
    private static void PrefetchNextRows(in MatrixProduct p, int row, int end, int step, int panel, int panels)
    {
        const int Line = Prefetch.Line / sizeof(float);
        var share = (MicroKernels<TLanes>.TallRows + panels - 1) / panels;
        row += panel * share;
        for (end = Math.Min(end, row + share); row < end; row++)
        {
            var a = p.A + (row * p.ARowStride) + step;
            Prefetch.ToL2(a);
            Prefetch.ToL2(a + Line);
            Prefetch.ToL2(a + (2 * Line));
        }
    }
}
