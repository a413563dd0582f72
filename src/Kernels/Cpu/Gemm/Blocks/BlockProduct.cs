namespace SafeLlama.Kernels;

/// <summary>Chooses the code that reads a weight's blocks: by the width of vectors, then by the layout.</summary>
internal static unsafe class BlockProduct
{
    /// <summary>
    /// Multiplies at most four rows of A with blocks that are read in registers; false for any other layout.
    /// </summary>
    /// <param name="lanes">Floats in a vector.</param>
    /// <param name="p">The product.</param>
    /// <param name="rows">Rows of C.</param>
    /// <param name="columns">Columns of C.</param>
    public static bool TryRun(
        int lanes, in MatrixProduct p, (int First, int End) rows, (int First, int End) columns) =>
        lanes == Lanes512.Count ? TryWide(p, rows, columns)
        : lanes == Lanes256.Count ? TryNarrow<Lanes256>(p, rows, columns)
        : TryNarrow<Lanes128>(p, rows, columns);

    /// <summary>Decodes rows of the weight, one after another; any format.</summary>
    public static void Decode(int lanes, in MatrixProduct p, int first, int count, float* to)
    {
        switch (lanes == Lanes512.Count ? p.BFormat.Code : BlockCode.Other)
        {
            case BlockCode.Q8:
                WideDot<WideQ8>.Decode(p, first, count, to);
                return;
            case BlockCode.Q4:
                WideDot<WideQ4>.Decode(p, first, count, to);
                return;
            case BlockCode.Q4K:
                WideDot<WideQ4K>.Decode(p, first, count, to);
                return;
            case BlockCode.Q6K:
                WideDot<WideQ6K>.Decode(p, first, count, to);
                return;
            case BlockCode.Nf4:
                WideDot<WideNf4>.Decode(p, first, count, to);
                return;
            case BlockCode.Int8:
                WideDot<WideInt8>.Decode(p, first, count, to);
                return;
            default:
                for (var row = 0; row < count; row++)
                {
                    p.DecodeB(first + row, 0, new Span<float>(to + ((nint)row * p.K), p.K));
                }

                return;
        }
    }

    private static bool TryWide(in MatrixProduct p, (int First, int End) rows, (int First, int End) columns)
    {
        switch (p.BFormat.Code)
        {
            case BlockCode.Q8:
                WideDot<WideQ8>.Run(p, rows, columns);
                return true;
            case BlockCode.Q4:
                WideDot<WideQ4>.Run(p, rows, columns);
                return true;
            case BlockCode.Q4K:
                WideDot<WideQ4K>.Run(p, rows, columns);
                return true;
            case BlockCode.Q6K:
                WideDot<WideQ6K>.Run(p, rows, columns);
                return true;
            case BlockCode.Nf4:
                WideDot<WideNf4>.Run(p, rows, columns);
                return true;
            case BlockCode.Int8:
                WideDot<WideInt8>.Run(p, rows, columns);
                return true;
            default:
                return false;
        }
    }

    private static bool TryNarrow<TLanes>(
        in MatrixProduct p, (int First, int End) rows, (int First, int End) columns)
        where TLanes : struct, IBlockLanes<TLanes>
    {
        switch (p.BFormat.Code)
        {
            case BlockCode.Q8:
                Narrow<TLanes, Q8Layout>(p, rows, columns);
                return true;
            case BlockCode.Q4:
                Narrow<TLanes, Q4Layout>(p, rows, columns);
                return true;
            case BlockCode.Q4K:
                Narrow<TLanes, Q4KLayout>(p, rows, columns);
                return true;
            case BlockCode.Q6K:
                Narrow<TLanes, Q6KLayout>(p, rows, columns);
                return true;
            case BlockCode.Nf4:
                Narrow<TLanes, Nf4Layout>(p, rows, columns);
                return true;
            case BlockCode.Int8:
                Narrow<TLanes, Int8Layout>(p, rows, columns);
                return true;
            default:
                return false;
        }
    }

    private static void Narrow<TLanes, TLayout>(
        in MatrixProduct p, (int First, int End) rows, (int First, int End) columns)
        where TLanes : struct, IBlockLanes<TLanes>
        where TLayout : struct, IBlockLayout
    {
        var row = rows.First;
        if (rows.End - row >= 4)
        {
            DotBlocks<TLanes, OfFour, TLayout>.Multiply(p, row, columns);
            row += 4;
        }

        if (rows.End - row >= 2)
        {
            DotBlocks<TLanes, OfTwo, TLayout>.Multiply(p, row, columns);
            row += 2;
        }

        if (rows.End > row)
        {
            const int Count = DotBlockColumns<TLanes, TLayout>.Count;
            var whole = columns.First + ((columns.End - columns.First) / Count * Count);
            DotBlockColumns<TLanes, TLayout>.Multiply(p, row, (columns.First, whole));
            DotBlocks<TLanes, OfOne, TLayout>.Multiply(p, row, (whole, columns.End));
        }
    }
}
