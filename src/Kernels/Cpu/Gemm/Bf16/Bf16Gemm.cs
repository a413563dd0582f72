using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>The loop nest of a product whose operands are rounded to bf16, summed in fp32 by the instruction.</summary>
/// <remarks>
/// The nest of <see cref="Gemm{TLanes}"/>, with k in blocks of up to 768: a block of B takes the same cache, since its
/// elements are half as long. A is rounded once per product (<see cref="Bf16Operand"/>), B block by block as it is
/// packed. How k is cut is part of the order of the sum, so the emulation cuts it alike.
/// </remarks>
internal static unsafe class Bf16Gemm
{
    /// <summary>Most columns of a packed block.</summary>
    public const int MaxColumns = 512;

    /// <summary>Most k of a packed block.</summary>
    public const int MaxK = 768;

    /// <summary>Floats of scratch that <see cref="Run"/> needs: panels of pairs, and sums that go no further.</summary>
    public const int ScratchCount = PanelCount + (TileCode.Rows * SumStride) + CpuEpilogue.ScratchCount;

    private const int PanelCount = MaxColumns * MaxK / 2;

    /// <summary>A line more than <see cref="MaxColumns"/>: rows 2 kB apart would share cache sets.</summary>
    private const int SumStride = MaxColumns + 16;

    /// <summary>The k of every block but the last: equal parts of at most <see cref="MaxK"/>, in units of 32.</summary>
    public static int BlockOf(int k)
    {
        var parts = (k + MaxK - 1) / MaxK;
        return Math.Max(32, (((k + parts - 1) / parts) + 31) / 32 * 32);
    }

    /// <summary>Computes the rows and columns given, of all of p.</summary>
    /// <param name="tiles">The machine code.</param>
    /// <param name="p">
    /// The product; its scale must be 1. Without a C it has an end, and a k of one block.
    /// </param>
    /// <param name="a">The rounded A of p.</param>
    /// <param name="rows">Rows of C; the first is a multiple of 12.</param>
    /// <param name="columns">Columns of C, at most <see cref="MaxColumns"/>.</param>
    /// <param name="scratch"><see cref="ScratchCount"/> floats.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(
        Bf16Tiles tiles, in MatrixProduct p, in Bf16Operand a, (int First, int End) rows,
        (int First, int End) columns, float* scratch)
    {
        var panels = (byte*)scratch;
        var sums = scratch + PanelCount;
        var endScratch = sums + (TileCode.Rows * SumStride);
        var cStride = p.C == null ? SumStride : p.CStride;
        var block = BlockOf(p.K);
        var form = a.Form;
        var panelCount = (columns.End - columns.First + TileCode.Columns - 1) / TileCode.Columns;
        var t = new TileArguments { ARowBytes = a.RowBytes, CRowBytes = cStride * sizeof(float), Scale = p.Scale };
        for (var k = 0; k < p.K; k += block)
        {
            var depth = Math.Min(block, p.K - k);
            var panelBytes = Bf16Panels.Steps(depth) * TileCode.StepBytes;
            Bf16Panels.Pack(p, columns.First, columns.End - columns.First, k, depth, (uint*)panels);
            var isLast = k + depth == p.K;
            t.LoraARowBytes = p.LoraAStride * sizeof(float);
            for (var row = rows.First; row < rows.End; row += TileCode.Rows)
            {
                var count = Math.Min(TileCode.Rows, rows.End - row);
                var c = p.C == null ? sums : p.C + (row * p.CStride) + columns.First;
                t.A = a.At(row, k);
                t.LoraA = p.LoraA + (row * p.LoraAStride);
                for (var panel = 0; panel < panelCount; panel++)
                {
                    var column = columns.First + (panel * TileCode.Columns);
                    var width = Math.Min(TileCode.Columns, columns.End - column);
                    t.B = panels + ((long)panel * panelBytes);
                    t.BEnd = t.B + panelBytes;
                    t.C = c + (panel * TileCode.Columns);
                    t.Addend = k > 0 ? t.C : p.Addend == null ? null : p.Addend + (row * p.AddendStride) + column;
                    t.AddendRowBytes = (k > 0 ? p.CStride : p.AddendStride) * sizeof(float);
                    var loraK = isLast ? p.LoraK : 0;
                    t.LoraB = (byte*)(p.LoraB + ((long)column * p.LoraK));
                    t.LoraBEnd = t.LoraB + (loraK * TileCode.StepBytes);
                    a.PrefetchRows(row + TileCode.Rows, rows.End, (k, depth), (panel, panelCount));
                    if (isLast && p.End.IsThere)
                    {
                        p.End.PrefetchLines(row, count, column);
                    }

                    var vectors = width > TileCode.Columns / 2 ? 2 : 1;
                    t.LastMask = (1 << (width - ((vectors - 1) * TileCode.Columns / 2))) - 1;
                    tiles.Multiply(form, count, vectors, &t);
                }

                if (isLast && p.End.IsThere)
                {
                    p.End.Write<Lanes512>(c, cStride, (row, row + count), columns, endScratch);
                }
            }
        }
    }
}
